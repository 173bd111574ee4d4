\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.dequeue. Limits, keys, pauses and fencing have their own tests; bad arguments are in errors_consuming.

-- What it hands out is a row of pgq.jobs: picked, with worker, attempt and time of the claim.
SELECT pgq.enqueue('fetch', 'hello', 5, headers => '{"n": 1}', dedupe_key => 'd', ordering_key => 'o');
CREATE TABLE regress.claimed AS SELECT * FROM pgq.dequeue('{fetch}');
SELECT id, entrypoint, pgq.payload_text(payload), headers, priority, status, attempts, worker IS NOT NULL AS has_worker,
       created < picked AND picked <= clock_timestamp() AS picked_after_enqueue, execute_after = created AS at_once, dedupe_key, ordering_key
  FROM regress.claimed;
-- The view says the same.
SELECT count(*) FROM (TABLE regress.claimed EXCEPT TABLE pgq.jobs) AS differing;
-- A claim is logged only when it ends, and a job that is picked is not handed out again.
SELECT count(*) FROM pgq.job_log;
SELECT id FROM pgq.dequeue('{fetch}');
SELECT pgq.complete(1);

-- Order: priority descending, then when the job became due, then id; over all entrypoints that are asked for.
INSERT INTO pgq.jobs (entrypoint, payload, priority, created, execute_after) VALUES
    ('a', 'a low', -1, now() - interval '1 day', NULL),
    ('a', 'a older', 0, now() - interval '5 min', NULL),
    ('b', 'b oldest', 0, now() - interval '6 min', NULL),
    ('b', 'b high', 9, now() - interval '1 min', NULL),
    ('a', 'a deferred, due a moment ago', 0, now() - interval '1 hour', now() - interval '1 s'),
    ('c', 'c not asked for', 99, now() - interval '1 day', NULL),
    ('b', 'b deferred to before its creation', 0, now() - interval '4 min', now() - interval '1 day'),
    ('a', 'a high and deferred', 99, now() - interval '1 hour', now() + interval '1 hour'),
    ('b', 'b as old as the next, lower id', 0, now() - interval '3 min', NULL),
    ('a', 'a as old as the last, higher id', 0, now() - interval '3 min', NULL),
    ('a', 'a highest', 2147483647, now(), NULL),
    ('b', 'b lowest', -2147483648, now() - interval '1 year', NULL);
SELECT n, entrypoint, priority, pgq.payload_text(payload) AS payload
  FROM pgq.dequeue('{b,a}', 100) WITH ORDINALITY AS d(id, entrypoint, payload, headers, priority, status, attempts, worker, created, execute_after, picked, dedupe_key, ordering_key, n) ORDER BY n;
-- Only entrypoints that are asked for are touched.
SELECT payload, status FROM queue WHERE status = 'queued';
SELECT cardinality(pgq.release(ARRAY(SELECT id FROM pgq.jobs WHERE status = 'picked'))) AS released;
-- The order is the same in small bites, whatever the order in which entrypoints are named, and twice is as once.
CREATE FUNCTION regress.drain(entrypoints text[], batch_size int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    LOOP
        RETURN QUERY SELECT pgq.payload_text(d.payload) FROM pgq.dequeue(entrypoints, batch_size) AS d;
        EXIT WHEN NOT FOUND;
    END LOOP;
END
$$;
SELECT * FROM regress.drain('{a,b,a}', 1);
SELECT cardinality(pgq.release(ARRAY(SELECT id FROM pgq.jobs WHERE status = 'picked'))) AS released;
SELECT * FROM regress.drain('{empty,b,a}', 4);
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;

-- batch_size is over all entrypoints; a call returns as many as there are, up to it. The default is one.
SELECT pgq.enqueue_many_text('{x,y,x,y,x,y,x}', '{1,2,3,4,5,6,7}') IS NOT NULL AS enqueued;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{x,y}');
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{x,y}', 3);
SELECT pgq.payload_text(payload) FROM pgq.dequeue(ARRAY['x', 'y'], batch_size => 100);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{x,y,nothing}', 100);
SELECT cardinality(pgq.complete_many(ARRAY(SELECT id FROM pgq.jobs))) AS completed;
-- More than a thousand at once, each once.
SELECT cardinality(pgq.enqueue_many_text('{bulk}', ARRAY(SELECT n::text FROM generate_series(1, 2500) AS n))) AS enqueued;
SELECT count(*), count(DISTINCT id) AS different FROM pgq.dequeue('{bulk}', 2400);
SELECT count(*), count(DISTINCT id) AS different FROM pgq.dequeue('{bulk}', 2400);
SELECT cardinality(pgq.complete_many(ARRAY(SELECT id FROM pgq.jobs))) AS completed;

-- max_in_flight: this worker never holds more than so many, however many calls it takes.
SELECT cardinality(pgq.enqueue_many_text('{m}', ARRAY(SELECT n::text FROM generate_series(1, 10) AS n))) AS enqueued;
SELECT count(*) FROM pgq.dequeue('{m}', 4, max_in_flight => 5);
SELECT count(*) FROM pgq.dequeue('{m}', 4, max_in_flight => 5);
SELECT count(*) FROM pgq.dequeue('{m}', 4, max_in_flight => 5);
-- Claims of other entrypoints count, those of other workers do not; an end makes room.
SELECT pgq.enqueue('n') IS NOT NULL AS enqueued;
SELECT count(*) FROM pgq.dequeue('{n}', max_in_flight => 5);
SELECT count(*) FROM pgq.dequeue('{m,n}', 2, worker => :'anna', max_in_flight => 5);
SELECT count(pgq.complete(id)) FROM (SELECT min(id) AS id FROM pgq.jobs WHERE status = 'picked') AS first;
SELECT count(*) FROM pgq.dequeue('{m,n}', 4, max_in_flight => 5);
SELECT count(*) FROM pgq.dequeue('{m,n}', 4, max_in_flight => 5);
SELECT kind, claims FROM pgq.workers WHERE claims > 0 ORDER BY kind;
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;

-- A job is handed out only when due; a deferred one overtakes once it is.
SELECT pgq.enqueue('due', 'now') AS first, pgq.enqueue('due', 'later', 9, delay => '1 hour') AS later \gset
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{due}', 10);
SELECT pgq.enqueue('due', 'now too') AS second, pgq.reschedule(ARRAY[:later]) \gset
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{due}', 10);
-- One that is held as failed is not handed out.
SELECT pgq.configure('due', max_attempts => 1) IS NOT NULL AS configured;
SELECT pgq.fail(:later);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{due}', 10);
-- Own jobs that are not committed yet may be claimed: both vanish together.
BEGIN;
SELECT pgq.enqueue('own', 'uncommitted') IS NOT NULL AS enqueued;
SELECT pgq.payload_text(payload), status FROM pgq.dequeue('{own}');
ROLLBACK;
SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'own';
BEGIN;
SELECT pgq.enqueue('own', 'all in one') AS own \gset
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{own}');
SELECT pgq.complete(:own);
COMMIT;
SELECT entrypoint, outcome FROM log WHERE job_id = :own;

-- A named worker: the row carries its uuid.
SELECT pgq.enqueue('named') AS named \gset
SELECT worker = :'anna' AS as_named FROM pgq.dequeue('{named}', worker => :'anna', lease => '1 hour');
SELECT worker = :'anna' AS as_named FROM pgq.jobs WHERE id = :named;
SELECT worker = :'anna' AS as_named, kind, pid, lease, claims FROM pgq.workers WHERE kind = 'named' AND claims > 0;
SELECT pgq.complete(:named, :'anna');

-- The claim writes nothing: the row is the very same, and the transaction has no id.
SELECT pgq.enqueue('written') IS NOT NULL AS enqueued;
SELECT ctid AS before_ctid, xmin AS before_xmin FROM pgq.job WHERE entrypoint = 'written' \gset
BEGIN;
SELECT count(*) FROM pgq.dequeue('{written}');
SELECT txid_current_if_assigned() AS transaction_id;
COMMIT;
SELECT ctid = :'before_ctid' AND xmin = :'before_xmin' AND xmax = '0' AS untouched FROM pgq.job WHERE entrypoint = 'written';
