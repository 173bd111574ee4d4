\set ECHO none
\i tests/pg_regress/fresh.sql
-- Seeing: pgq.status, for live and ended jobs alike. Whose jobs a producer sees is in rights.
SELECT pgq.configure('s', max_attempts => 2, backoff_initial => '1 hour', backoff_max => '1 hour') IS NOT NULL AS configured;
SELECT pgq.enqueue_many_text('{s}', '{queued,deferred,picked,retried,successful,exception,failed,canceled,deleted,requeued,released}',
                             '{0,0,9,9,9,9,9,9,9,9,9}', ARRAY[NULL, 'infinity', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL]::timestamptz[]);
SELECT count(*) FROM pgq.dequeue('{s}', 9);
SELECT pgq.fail(4, 'try again'), pgq.finish('{5,6,7,10}', '{successful,exception,failed,failed}', ARRAY[NULL, '"boom"', '{"code": 7}', '"once"']::jsonb[]),
       pgq.cancel('{8}'), pgq.release('{11}');
SELECT pgq.release('{9}'), pgq.requeue('{10}');
SELECT pgq.delete('{9}');
-- Each by its id; unknown ones and doubles are left out.
SELECT id, status, attempts, error, finished_at IS NOT NULL AS has_ended FROM pgq.status('{11,10,9,8,7,6,5,4,3,2,1,99,5}') ORDER BY id;
SELECT pg_typeof(id), pg_typeof(status), pg_typeof(attempts), pg_typeof(error), pg_typeof(finished_at) FROM pgq.status('{1}');
-- The time of the end is that of the log.
SELECT s.id FROM pgq.status('{5,6,7,8,9}') AS s JOIN pgq.job_log AS l ON l.job_id = s.id AND l.finished = s.finished_at ORDER BY 1;
SELECT id, status FROM pgq.status(ARRAY[5]);
SELECT count(*) FROM pgq.status('{}');
SELECT count(*) FROM pgq.status('{99}');
-- A job on its second attempt, and after it.
SELECT pgq.reschedule('{4}', priority => 99);
SELECT id FROM pgq.dequeue('{s}');
SELECT id, status, attempts, error, finished_at IS NOT NULL AS has_ended FROM pgq.status('{4}');
SELECT pgq.fail(4, 'for good');
SELECT id, status, attempts, error, finished_at IS NOT NULL AS has_ended FROM pgq.status('{4}');
-- In the transaction that ends it, it has ended.
BEGIN;
SELECT pgq.complete(3);
SELECT status FROM pgq.status('{3}');
ROLLBACK;
SELECT status FROM pgq.status('{3}');
