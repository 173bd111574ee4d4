\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: every call that ends a claim takes effect only while the caller's worker holds the job, in that attempt
-- where one is given. Otherwise: false, NULL or absence, and nothing changes.
CREATE FUNCTION regress.try_all(job bigint, worker uuid, attempt int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := regress.state();
    answers text;
BEGIN
    answers := format('complete %s, complete_many %s, fail %s, %s, %s, retry %s, finish %s, release %s',
        coalesce(pgq.complete(job, worker, attempt)::text, 'NULL'),
        pgq.complete_many(ARRAY[job], worker, ARRAY[attempt]),
        coalesce(pgq.fail(job, 'text', worker, attempt)::text, 'NULL'),
        coalesce(pgq.fail(job, '1'::json, worker, attempt)::text, 'NULL'),
        coalesce(pgq.fail(job, '1'::jsonb, worker, attempt)::text, 'NULL'),
        pgq.retry(job, '0', 'reason', worker, attempt),
        pgq.finish(ARRAY[job], '{successful}', NULL, worker, ARRAY[attempt])
            || pgq.finish(ARRAY[job], '{exception}', NULL, worker, ARRAY[attempt])
            || pgq.finish(ARRAY[job], '{failed}', NULL, worker, ARRAY[attempt]),
        pgq.release(ARRAY[job], worker, ARRAY[attempt]));
    RETURN answers || CASE WHEN regress.state() IS DISTINCT FROM before THEN ', AND SOMETHING CHANGED' ELSE '' END;
END
$$;

-- Nobody holds it.
SELECT pgq.enqueue('fetch');
SELECT regress.try_all(1, NULL, NULL);
SELECT regress.try_all(1, :'anna', NULL);
SELECT regress.try_all(99, NULL, NULL);
-- Anna holds it: neither this session nor Bert can end it, and Anna only in this attempt.
SELECT id, attempts FROM pgq.dequeue('{fetch}', worker => :'anna');
SELECT regress.try_all(1, NULL, NULL);
SELECT regress.try_all(1, NULL, 0);
SELECT regress.try_all(1, :'bert', NULL);
SELECT regress.try_all(1, :'bert', 0);
SELECT regress.try_all(1, :'anna', 1);
SELECT regress.try_all(1, :'anna', -1);
SELECT pgq.retry(1, worker => :'anna', attempt => 0);
-- It is over, for Anna too.
SELECT regress.try_all(1, :'anna', NULL);
-- The second attempt: what was true in the first is not any more.
SELECT id, attempts FROM pgq.dequeue('{fetch}', worker => :'anna');
SELECT regress.try_all(1, :'anna', 0);
SELECT pgq.complete(1, :'anna', 1);
-- This session holds it: no named worker can end it.
SELECT pgq.enqueue('fetch');
SELECT id FROM pgq.dequeue('{fetch}');
SELECT regress.try_all(2, :'anna', NULL);
SELECT regress.try_all(2, NULL, 5);
-- A session's own uuid is no name to end its claims by.
SELECT worker AS session_worker FROM pgq.jobs WHERE id = 2 \gset
SELECT regress.try_all(2, :'session_worker', NULL);
SELECT pgq.complete(2, attempt => 0);

-- Canceled under its worker: no effect.
SELECT pgq.enqueue('fetch');
SELECT id FROM pgq.dequeue('{fetch}', worker => :'anna');
SELECT pgq.cancel('{3}');
SELECT regress.try_all(3, :'anna', NULL);
-- Released, then claimed by another: never an effect on somebody else's attempt.
SELECT pgq.enqueue('fetch');
SELECT id, attempts FROM pgq.dequeue('{fetch}', worker => :'anna');
SELECT pgq.release('{4}', :'anna');
SELECT id, attempts FROM pgq.dequeue('{fetch}', worker => :'bert');
SELECT regress.try_all(4, :'anna', NULL);
SELECT regress.try_all(4, :'anna', 0);
SELECT pgq.complete(4, :'bert', 0);
-- Held as failed: nobody's.
SELECT pgq.enqueue('fetch');
SELECT pgq.finish(ARRAY[id], '{failed}') FROM pgq.dequeue('{fetch}');
SELECT regress.try_all(5, NULL, NULL);
SELECT regress.try_all(5, NULL, 1);

-- A batch: what is the caller's takes effect, the rest is absent.
SELECT pgq.enqueue_many_text('{batch}', '{a,b,c,d}');
SELECT id FROM pgq.dequeue('{batch}', 1, :'anna');
SELECT id FROM pgq.dequeue('{batch}', 2);
SELECT pgq.complete_many('{6,7,8,9}', attempts => '{NULL,3,NULL,0}');
SELECT pgq.complete_many('{9,8,7,6}', :'anna', '{0,0,0,0}');
SELECT id, status FROM queue WHERE id > 5;
SELECT job_id, outcome FROM log WHERE job_id > 5 ORDER BY job_id;
