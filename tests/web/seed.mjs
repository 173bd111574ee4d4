// A queue as a shop has it: an hour of work behind it, jobs in every state, schedules, workers.

/** Work of the last hour, as it stands in the log. */
const HOUR = `
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, worker, outcome, error, created, picked, finished, producer, slot)
SELECT 900000 + row_number() OVER (), e.name, 0, 0, '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', (CASE
         WHEN random() < e.bad * (1 + 3 * (m BETWEEN 20 AND 27)::int) THEN 'exception' WHEN random() < 3 * e.bad THEN 'retried'
         WHEN random() < 0.004 THEN 'canceled' ELSE 'successful' END)::pgq.job_status,
       NULL, at - interval '2 s', at - interval '1 s', at, 'shop', 0
  FROM (VALUES ('mail.send', 40, 0.004), ('image.resize', 22, 0.012), ('invoice.render', 9, 0.002), ('webhook.deliver', 30, 0.03)) AS e(name, rate, bad)
 CROSS JOIN generate_series(0, 60) AS m
 CROSS JOIN LATERAL generate_series(1, (e.rate * (1 + 0.35 * sin(m / 6.0) + 0.2 * random()))::int) AS i
 CROSS JOIN LATERAL (SELECT now() - (m + random() + 0 * i) * interval '1 min') AS t(at)`;

export async function seed(sql) {
  await sql.query(HOUR);
  await sql.query("SELECT pgq.configure('webhook.deliver', max_attempts => 1, concurrency_limit => 20)");
  await sql.query("SELECT pgq.configure('image.resize', concurrency_limit => 8)");
  await sql.query(`SELECT pgq.enqueue('webhook.deliver', payload_jsonb => jsonb_build_object('order', 4100 + i, 'url', 'https://partner.example/hooks/orders',
    'event', 'order.paid', 'lines', jsonb_build_array(jsonb_build_object('sku', 'A-' || i, 'amount', 12.50))), headers => '{"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}')
    FROM generate_series(1, 9) AS i`);
  const errors = ["connection refused by partner.example:443", "503 Service Unavailable after 3 redirects", "certificate of partner.example has expired"];
  const { rows } = await sql.query("SELECT id FROM pgq.dequeue('{webhook.deliver}', 9)");
  for (const [place, { id }] of rows.entries()) {
    await sql.query("SELECT pgq.fail($1, error => $2::text)", [id, errors[place % errors.length]]);
  }
  await sql.query("SELECT pgq.enqueue('mail.send', payload_jsonb => jsonb_build_object('to', format('customer-%s@example.org', i), 'template', 'order-paid')) FROM generate_series(1, 46) AS i");
  await sql.query("SELECT pgq.enqueue('image.resize', payload_jsonb => jsonb_build_object('image', format('products/%s.jpg', i), 'width', 640)) FROM generate_series(1, 18) AS i");
  await sql.query("SELECT pgq.enqueue('invoice.render', format('invoice %s', i), delay => i * interval '20 min') FROM generate_series(1, 12) AS i");
  await sql.query("SELECT pgq.enqueue('search.index', format('product %s', i)) FROM generate_series(1, 25) AS i");
  await sql.query("SELECT pgq.pause('search.index')");
  await sql.query("SELECT FROM pgq.dequeue('{image.resize}', 5)");
  await sql.query("SELECT FROM pgq.dequeue('{mail.send}', 7, worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', lease => '10 min')");
  await sql.query(`SELECT pgq.schedule('report', '30 6 * * mon-fri', timezone => 'Europe/Berlin', payload => 'daily'),
    pgq.schedule('cleanup', '0 */4 * * *'), pgq.schedule('rates', '*/15 * * * *', overlap => true), pgq.schedule('newsletter', '0 9 1 * *', timezone => 'America/New_York')`);
  await sql.query("SELECT pgq.pause_schedule('newsletter')");
}
