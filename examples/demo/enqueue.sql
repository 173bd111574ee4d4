-- Six kinds of work, each showing one thing the queue does.
CREATE EXTENSION IF NOT EXISTS pgqueuer;
SET client_min_messages = warning;

CREATE TABLE IF NOT EXISTS demo_ledger (line bigint GENERATED ALWAYS AS IDENTITY, account text, entry int);
CREATE TABLE IF NOT EXISTS demo_in_flight (entrypoint text, in_flight bigint, too_early boolean);

BEGIN;
-- mail: at most two at a time, over all workers.
SELECT FROM pgq.configure('mail', concurrency_limit => 2);
-- parse fails on its first attempt and is tried again a moment later; broken fails always and is held.
SELECT FROM pgq.configure('parse', max_attempts => 3, backoff_initial => '200 ms');
SELECT FROM pgq.configure('broken', max_attempts => 2, backoff_initial => '100 ms');

SELECT count(pgq.enqueue('fetch', format('https://example.org/%s', i), priority => i % 4)) AS fetch
  FROM generate_series(1, 150) AS i;
SELECT cardinality(pgq.enqueue_many_text('{mail}', array_agg(format('to: user%s@example.org', i)))) AS mail
  FROM generate_series(1, 40) AS i;
SELECT count(pgq.enqueue('parse', jsonb_build_object('page', i))) AS parse FROM generate_series(1, 30) AS i;
SELECT count(pgq.enqueue('broken', jsonb_build_object('part', i))) AS broken FROM generate_series(1, 5) AS i;
-- ledger: the entries of one account run one at a time, in order.
SELECT count(pgq.enqueue('ledger', jsonb_build_object('account', account, 'entry', entry), ordering_key => account)) AS ledger
  FROM generate_series(1, 12) AS entry, unnest('{alice,bob,carol,dave,erin}'::text[]) AS account;
-- later: not before its time, though its priority is the highest.
SELECT count(pgq.enqueue('later', format('after %s ms', 1500 + i * 50), priority => 9, delay => make_interval(secs => 1.5 + i * 0.05))) AS later
  FROM generate_series(1, 20) AS i;
COMMIT;
