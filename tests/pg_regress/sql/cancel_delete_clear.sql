\set ECHO none
\i tests/pg_regress/fresh.sql
-- Controlling: pgq.cancel, pgq.delete, pgq.clear. One job in every state: queued, deferred, picked by this session,
-- picked by a named worker, waiting for its retry, held as failed.
CREATE PROCEDURE regress.fill() LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
BEGIN
    INSERT INTO pgq.jobs (entrypoint, payload, priority, dedupe_key)
    SELECT 'q', convert_to(state, 'UTF8'), priority, state
      FROM unnest('{mine,annas,retried,failed,queued}'::text[], '{5,4,3,2,1}'::int[]) AS s(state, priority);
    PERFORM pgq.enqueue('q', 'deferred', delay => '1 hour');
    COMMIT;
    SELECT min(id) INTO first FROM pgq.jobs;
    PERFORM FROM pgq.dequeue('{q}');
    PERFORM FROM pgq.dequeue('{q}', worker => 'aaaaaaaa-0000-0000-0000-000000000001');
    PERFORM FROM pgq.dequeue('{q}', 2);
    COMMIT;
    PERFORM pgq.retry(first + 2, '1 hour', 'later'), pgq.finish(ARRAY[first + 3], '{failed}', '{"1"}');
END
$$;
CALL regress.fill();
SELECT * FROM queue;

-- cancel takes queued, picked and failed; those it ended come back, in the order of the call, each once.
SELECT pgq.cancel('{6,99,5,4,3,2,1,6}');
SELECT * FROM queue;
-- One row in the log for each, with who held it.
SELECT job_id, entrypoint, priority, attempts, outcome, error, worker = :'anna' AS anna, worker IS NULL AS nobody, picked IS NULL AS not_picked,
       finished >= created AS in_order
  FROM pgq.job_log WHERE outcome NOT IN ('retried', 'failed') ORDER BY job_id;
-- It is over for the workers: they learn of it by heartbeat, and can end nothing.
SELECT pgq.heartbeat(:'anna', held => '{2}'), pgq.complete(2, :'anna'), pgq.complete(1);
SELECT count(*) FROM pgq.claims();
SELECT pgq.cancel('{1,2,3}'), pgq.cancel('{}');
-- A job that has ended stays as it ended.
SELECT outcome FROM log WHERE job_id = 1;

-- delete takes queued and failed ones; picked ones are left alone.
CALL regress.fill();
SELECT pgq.delete('{12,11,10,9,8,7,12,99}');
SELECT * FROM queue;
SELECT job_id, outcome, attempts, priority FROM pgq.job_log WHERE outcome = 'deleted' ORDER BY job_id;
SELECT pgq.complete(7), pgq.complete(8, :'anna'), pgq.delete('{7,8,9}'), pgq.delete('{}');

-- clear deletes all queued ones, deferred and retried ones too; the count. Picked and failed ones stay.
CALL regress.fill();
SELECT pgq.enqueue_many_text('{r,s,s,t}', '{1,2,3,4}');
SELECT pgq.clear('{s,t,nothing}');
SELECT id, entrypoint FROM queue WHERE entrypoint <> 'q';
SELECT pgq.clear(ARRAY['q']);
SELECT * FROM queue;
SELECT pgq.clear(), pgq.clear();
SELECT * FROM queue;
SELECT job_id, entrypoint, attempts, worker, error, picked FROM pgq.job_log WHERE outcome = 'deleted' AND job_id > 12 ORDER BY job_id;
-- Ids go on, whatever was deleted.
SELECT pgq.enqueue('q');

-- All of it is transactional: what is rolled back has not happened, and the claim is as it was.
SELECT id FROM pgq.dequeue('{q}');
BEGIN;
SELECT pgq.cancel('{23}');
SELECT count(*) FROM pgq.jobs WHERE id = 23;
ROLLBACK;
SELECT status FROM queue WHERE id = 23;
SELECT pgq.complete(23);
