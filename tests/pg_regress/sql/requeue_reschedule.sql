\set ECHO none
\i tests/pg_regress/fresh.sql
-- Controlling: pgq.requeue and pgq.reschedule.
SELECT pgq.enqueue_many_text('{fetch}', '{a,b,c,queued,picked}', '{5,4,3,2,6}', dedupe_keys => '{ka,kb,kb2,kq,kp}', headers => ARRAY['{"n": 1}', NULL, NULL, NULL, NULL]::jsonb[], ordering_keys => '{o,NULL,NULL,NULL,NULL}');
SELECT id FROM pgq.dequeue('{fetch}', 4);
SELECT pgq.finish('{1,2,3}', '{failed,failed,failed}');
SELECT * FROM queue;

-- failed → queued, attempts 0, due now; those that are not failed are left out.
SELECT pgq.requeue('{5,3,99,1,4,3}');
SELECT id, entrypoint, pgq.payload_text(payload), headers, priority, status, attempts, worker IS NULL AS nobodys, execute_after <= clock_timestamp() AS due, dedupe_key, ordering_key FROM pgq.jobs ORDER BY id;
SELECT id, attempts FROM pgq.dequeue('{fetch}', 2);
-- As if never tried: all attempts are there again.
SELECT pgq.configure('fetch', max_attempts => 2) IS NOT NULL AS configured;
SELECT pgq.fail(1);
SELECT pgq.reschedule('{1}');
SELECT attempts, pgq.fail(id) FROM pgq.dequeue('{fetch}');
SELECT pgq.requeue('{1}');
SELECT attempts, pgq.fail(id) FROM pgq.dequeue('{fetch}');
SELECT pgq.requeue('{1}'), pgq.requeue('{}');

-- Held and requeued in one transaction.
SELECT pgq.reschedule('{1}');
SELECT attempts FROM pgq.dequeue('{fetch}');
BEGIN;
SELECT pgq.finish('{1}', '{failed}');
SELECT pgq.requeue('{1}');
COMMIT;
SELECT id, attempts FROM pgq.dequeue('{fetch}');

-- Left out: one whose dedupe key lives again, queued or picked. It can come back when the key is free.
SELECT pgq.enqueue('other', dedupe_key => 'kb') AS other \gset
SELECT pgq.requeue('{2}');
SELECT id = :other AS other FROM pgq.dequeue('{other}');
SELECT pgq.requeue('{2}');
SELECT pgq.complete(:other);
SELECT pgq.requeue('{2}');
-- Of two failed ones with one key one comes back.
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;
SELECT pgq.enqueue('twins', 'one', dedupe_key => 'k') AS one \gset
SELECT pgq.finish(ARRAY[id], '{failed}') IS NOT NULL AS failed FROM pgq.dequeue('{twins}');
SELECT pgq.enqueue('twins', 'two', dedupe_key => 'k') AS two \gset
SELECT pgq.finish(ARRAY[id], '{failed}') IS NOT NULL AS failed FROM pgq.dequeue('{twins}');
SELECT cardinality(pgq.requeue(ARRAY[:one, :two]));
SELECT status, count(*) FROM queue GROUP BY 1 ORDER BY 1;
-- Nothing is logged: it is no end.
SELECT outcome, count(*) FROM log WHERE job_id IN (:one, :two) GROUP BY 1;
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;

-- reschedule: execute_after, by default now, and priority if given, of queued jobs.
SELECT pgq.enqueue('r', 'one', 1, delay => '1 hour') AS one, pgq.enqueue('r', 'two', 2) AS two, pgq.enqueue('r', 'picked', 3) AS picked,
       pgq.enqueue('r', 'failed', 4) AS failed \gset
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{r}', 2);
SELECT cardinality(pgq.finish(ARRAY[:failed], '{failed}'));
SELECT pgq.reschedule(ARRAY[:two, 99, :failed, :one, :picked, :two]) = ARRAY[:two, :one]::bigint[] AS those_queued, pgq.reschedule('{}');
SELECT payload, priority, status FROM queue;
SELECT execute_after BETWEEN created AND clock_timestamp() AS due FROM pgq.jobs WHERE status = 'queued';
SELECT cardinality(pgq.reschedule(ARRAY[:one], '2040-01-01 00:00+00', 9));
SELECT pgq.payload_text(payload) AS payload, priority, execute_after = '2040-01-01 00:00+00' AS in_2040 FROM pgq.jobs WHERE status = 'queued' ORDER BY id;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{r}', 10);
SELECT pgq.release(ARRAY[:two]) IS NOT NULL AS released;
SELECT cardinality(pgq.reschedule(ids => ARRAY[:one, :two], execute_after => now() - interval '1 day', priority => NULL));
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{r}', 10);
-- The first of those picked is still as it was, and what failed too.
SELECT payload, priority, status FROM queue;
-- A job that waits for its retry is queued: it can be called back.
SELECT pgq.retry(:one, '1 hour');
SELECT cardinality(pgq.reschedule(ARRAY[:one]));
SELECT pgq.payload_text(payload), attempts FROM pgq.dequeue('{r}', 10);
-- Far times.
SELECT pgq.release(ARRAY[:one, :two]) IS NOT NULL AS released;
SELECT cardinality(pgq.reschedule(ARRAY[:one], 'infinity')), cardinality(pgq.reschedule(ARRAY[:two], '-infinity'));
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{r}', 10);
SELECT payload, status FROM queue;

-- An error that a call meets ends its statement, not the session.
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;
SELECT pgq.enqueue('e') AS id \gset
SELECT cardinality(pgq.finish(ARRAY[id], '{failed}')) FROM pgq.dequeue('{e}');
CREATE FUNCTION regress.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused by a trigger'; END $$;
CREATE TRIGGER refuse BEFORE UPDATE ON pgq.job FOR EACH ROW EXECUTE FUNCTION regress.refuse();
SELECT error_of(format('SELECT pgq.requeue(ARRAY[%s])', :id));
\set SHOW_CONTEXT never
SELECT pgq.requeue(ARRAY[:id]);
SELECT status FROM queue;
BEGIN;
SAVEPOINT a;
SELECT pgq.requeue(ARRAY[:id]);
ROLLBACK TO a;
SELECT status FROM queue;
COMMIT;
DROP TRIGGER refuse ON pgq.job;
SELECT cardinality(pgq.requeue(ARRAY[:id]));
