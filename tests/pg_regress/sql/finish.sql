\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.finish, a mixed batch. Every outcome is final, whatever attempts are left.
SELECT pgq.enqueue_many_text('{fetch}', '{one,two,three,four,five,six}', dedupe_keys => '{k1,k2,k3,k4,k5,k6}');
SELECT id FROM pgq.dequeue('{fetch}', 5);
SELECT pgq.finish('{5,1,99,3,2,6,4}', '{successful,successful,successful,failed,exception,failed,exception}',
                  ARRAY['null', NULL, '"nobody"', '{"code": 3}', '"boom"', '"queued"', NULL]::jsonb[]);
-- successful and exception remove the row, failed holds it; one that is not held by the caller is left out.
SELECT id, pgq.payload_text(payload), status, attempts, worker, picked, dedupe_key FROM pgq.jobs ORDER BY id;
SELECT * FROM log ORDER BY job_id;
SELECT bool_and(worker IS NOT NULL AND picked < finished) AS says_who_and_when FROM pgq.job_log;
-- One that failed is requeued like any other.
SELECT pgq.requeue('{3}');
SELECT id, attempts FROM pgq.dequeue('{fetch}', 10);
-- Without errors; the same id twice ends once, with its first outcome.
SELECT pgq.finish('{6,3,6}', '{successful,failed,exception}');
SELECT * FROM queue;
SELECT outcome, error FROM log WHERE job_id IN (3, 6) ORDER BY job_id, outcome;
-- An empty batch is an empty answer.
SELECT pgq.finish('{}', '{}'), pgq.finish('{}', '{}', '{}');

-- A named worker, with attempts.
SELECT pgq.enqueue_many_text('{named}', '{one,two}');
SELECT id FROM pgq.dequeue('{named}', 2, :'anna');
SELECT pgq.finish('{7,8}', '{successful,successful}', worker => :'anna', attempts => '{0,1}');
SELECT pgq.finish('{8}', ARRAY['exception'], ARRAY['{"a": 1}']::jsonb[], :'anna', '{0}');
SELECT job_id, outcome, error FROM log WHERE job_id IN (7, 8) ORDER BY job_id;
-- It takes untyped parameters.
PREPARE untyped AS SELECT pgq.finish($1, $2);
SELECT pgq.enqueue('fetch');
SELECT id FROM pgq.dequeue('{fetch}');
EXECUTE untyped('{9}', '{successful}');
