-- A queue as a shop has it: an hour of work behind it, jobs in every state, schedules, workers. The same each time.
SELECT setseed(0.25);
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, worker, outcome, error, created, picked, finished, producer, slot)
SELECT 900000 + row_number() OVER (), e.name, 0, 0, '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11',
       (CASE WHEN random() < e.bad * (1 + 3 * (m BETWEEN 20 AND 27)::int) THEN 'exception'
             WHEN random() < 3 * e.bad THEN 'retried' WHEN random() < 0.004 THEN 'canceled' ELSE 'successful' END)::pgq.job_status,
       NULL, at - interval '2 s', at - interval '1 s', at, 'shop', 0
  FROM (VALUES ('mail.send', 400, 0.004), ('image.resize', 220, 0.012), ('invoice.render', 90, 0.002), ('webhook.deliver', 300, 0.03))
       AS e(name, rate, bad)
 CROSS JOIN generate_series(1, 59) AS m
 CROSS JOIN LATERAL generate_series(1, (e.rate * (1 + 0.35 * sin(m / 6.0) + 0.2 * random()))::int) AS i
 CROSS JOIN LATERAL (SELECT date_trunc('minute', now()) - m * interval '1 min' + 0 * i * interval '1 s' + interval '20 s') AS t(at);
SELECT pgq.configure('webhook.deliver', max_attempts => 1, concurrency_limit => 20);
SELECT pgq.configure('image.resize', concurrency_limit => 5);
SELECT pgq.enqueue('webhook.deliver', payload_jsonb => jsonb_build_object('order', 4100 + i)) FROM generate_series(1, 9) AS i;
SELECT pgq.fail(d.id, (ARRAY['connection refused by partner.example:443', '503 Service Unavailable after 3 redirects',
                             'certificate of partner.example has expired'])[1 + d.id % 3])
  FROM pgq.dequeue('{webhook.deliver}', 9) AS d;
SELECT pgq.enqueue('mail.send', payload_jsonb => jsonb_build_object('to', format('customer-%s@example.org', i))) FROM generate_series(1, 46) AS i;
SELECT pgq.enqueue('image.resize', format('products/%s.jpg', i)) FROM generate_series(1, 18) AS i;
SELECT pgq.enqueue('invoice.render', format('invoice %s', i), delay => i * interval '20 min') FROM generate_series(1, 12) AS i;
SELECT pgq.enqueue('search.index', format('product %s', i)) FROM generate_series(1, 25) AS i;
SELECT pgq.pause('search.index');
SELECT FROM pgq.dequeue('{mail.send}', 7, worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', lease => '10 min');
SELECT FROM pgq.dequeue('{image.resize}', 5, worker => '2c9d8e1f-6a7b-4c3d-9e8f-0a1b2c3d4e5f', lease => '10 min');
SELECT pgq.schedule('report', '30 6 1 * *', timezone => 'Europe/Berlin', payload => 'daily'),
       pgq.schedule('cleanup', '0 4 1 * *'), pgq.schedule('rates', '15 0 2 * *', overlap => true),
       pgq.schedule('newsletter', '0 9 1 * *', timezone => 'America/New_York');
SELECT pgq.pause_schedule('newsletter');
