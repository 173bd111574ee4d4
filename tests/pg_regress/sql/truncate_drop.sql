\set ECHO none
\i tests/pg_regress/fresh.sql
-- Operating: TRUNCATE of the table of jobs, DROP EXTENSION and CREATE EXTENSION with claims held. Ids of a restarted
-- sequence are new jobs: whoever held an old one has no effect on them.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS regress_plain CASCADE;
RESET client_min_messages;
CREATE SCHEMA regress_plain;
SET search_path = public;
CREATE FUNCTION regress_plain.try_all(job bigint, worker uuid) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    RETURN format('complete %s, fail %s, retry %s, finish %s, release %s, heartbeat says lost: %s',
        pgq.complete(job, worker), pgq.fail(job, 'error', worker), pgq.retry(job, worker => worker), pgq.finish(ARRAY[job], '{failed}', worker => worker),
        pgq.release(ARRAY[job], worker), CASE WHEN worker IS NOT NULL THEN pgq.heartbeat(worker, held => ARRAY[job]) END);
END
$$;

SELECT pgq.enqueue_many_text('{q}', '{one,two,three}', ordering_keys => '{a,b,c}');
SELECT pgq.configure('q', concurrency_limit => 2) IS NOT NULL AS configured;
SELECT id FROM pgq.dequeue('{q}');
SELECT id FROM pgq.dequeue('{q}', 1, :'anna');
-- A TRUNCATE that is rolled back changes nothing.
BEGIN;
TRUNCATE pgq.job;
SELECT count(*) FROM pgq.jobs;
ROLLBACK;
SELECT id, status FROM pgq.jobs ORDER BY id;
SELECT pgq.heartbeat(:'anna', held => '{2}');
-- One that is committed ends the claims.
TRUNCATE pgq.job;
ALTER SEQUENCE pgq.job_id_seq RESTART;
SELECT count(*) FROM pgq.claims();
SELECT regress_plain.try_all(1, NULL), regress_plain.try_all(2, :'anna');
SELECT pgq.enqueue_many_text('{q}', '{new one,new two,new three}', ordering_keys => '{a,b,c}');
SELECT regress_plain.try_all(1, NULL);
SELECT regress_plain.try_all(2, :'anna');
-- The new jobs are free: the limit and the keys of the old ones are forgotten.
SELECT id, pgq.payload_text(payload), attempts FROM pgq.dequeue('{q}', 10);
-- Claimed in the transaction that truncates.
BEGIN;
SELECT pgq.enqueue('r') AS id \gset
SELECT count(*) FROM pgq.dequeue('{r}');
TRUNCATE pgq.job;
COMMIT;
SELECT count(*) FROM pgq.claims();
SELECT pgq.complete(:id);

-- A job that was taken away by hand, and another under its id.
ALTER SEQUENCE pgq.job_id_seq RESTART;
SELECT pgq.enqueue('s', 'old');
SELECT id FROM pgq.dequeue('{s}', 1, :'anna');
DELETE FROM pgq.job;
ALTER SEQUENCE pgq.job_id_seq RESTART;
SELECT pgq.enqueue('s', 'new');
SELECT pgq.complete(1, :'anna'), pgq.fail(1, worker => :'anna'), pgq.retry(1, worker => :'anna');
SELECT id, pgq.payload_text(payload), attempts FROM pgq.job;

-- DROP EXTENSION that is rolled back leaves the claims.
TRUNCATE pgq.job;
SELECT pgq.enqueue('t') AS id \gset
SELECT count(*) FROM pgq.dequeue('{t}');
BEGIN;
SET LOCAL client_min_messages = warning;
DROP EXTENSION pgqueuer CASCADE;
ROLLBACK;
SELECT status FROM pgq.jobs;
SELECT pgq.complete(:id);
-- One that is committed ends them, and CREATE EXTENSION begins anew, in the same session too.
SELECT cardinality(pgq.enqueue_many_text('{t}', '{old,old,old}'));
SELECT count(*) FROM pgq.dequeue('{t}');
SELECT count(*) FROM pgq.dequeue('{t}', 2, :'anna');
SET client_min_messages = warning;
DROP EXTENSION pgqueuer CASCADE;
CREATE EXTENSION pgqueuer;
RESET client_min_messages;
SELECT count(*) FROM pgq.claims();
SELECT count(*) FROM pgq.jobs;
SELECT pgq.enqueue_many_text('{t}', '{new one,new two,new three}');
SELECT regress_plain.try_all(1, NULL);
SELECT regress_plain.try_all(2, :'anna');
SELECT id, pgq.payload_text(payload) FROM pgq.dequeue('{t}', 10);
SELECT pgq.complete_many('{1,2,3}');
-- In one transaction as well, after a claim in it.
BEGIN;
SELECT pgq.enqueue('t') IS NOT NULL AS enqueued;
SELECT count(*) FROM pgq.dequeue('{t}');
SET LOCAL client_min_messages = warning;
DROP EXTENSION pgqueuer CASCADE;
CREATE EXTENSION pgqueuer;
COMMIT;
SELECT pgq.enqueue('t');
SELECT id FROM pgq.dequeue('{t}');
SELECT pgq.complete(1);
SELECT count(*) FROM pgq.claims();
SET client_min_messages = warning;
DROP SCHEMA regress_plain CASCADE;
