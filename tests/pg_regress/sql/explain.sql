\set ECHO none
\i tests/pg_regress/fresh.sql
-- Why a job is not running: pgq.explain. Reasons that need two sessions, a restart or another server are in tests/e2e/tests/explain.rs.
SET pgqueuer.rollback_delay = 0;
-- What it says, without times and processes.
CREATE FUNCTION regress.explained(id bigint) RETURNS text LANGUAGE sql AS $$
SELECT regexp_replace(regexp_replace(pgq.explain(id), '\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?[+-]\d\d(:\d\d)?', 'TIME', 'g'),
                      'process ' || pg_backend_pid(), 'process PID', 'g')
$$;
CREATE FUNCTION regress.masked(id bigint) RETURNS text LANGUAGE sql AS $$
SELECT regexp_replace(regress.explained(id), '\d+ (d|h|min|s|ms)( \d+ (h|min|s))?( ago\)| ago|\))', 'LENGTH\4', 'g')
$$;
SET datestyle = 'ISO, MDY';

SELECT error_of('SELECT pgq.explain(NULL)');
SELECT pgq.explain(99);

-- Nobody asks.
SELECT pgq.enqueue('nobody''s "own"', 'x');
SELECT masked(1);
-- Somebody asked, and did not get it: others come first.
SELECT pgq.enqueue_many_text('{e}', array_fill('x'::text, ARRAY[3])), pgq.enqueue('e', 'urgent', priority => 1), pgq.enqueue('e', 'less so', priority => -1);
SELECT masked(6);
SELECT id FROM pgq.dequeue('{e}');
SELECT masked(2), masked(3), masked(4), masked(6);
SELECT pgq.enqueue_many_text('{e}', array_fill('x'::text, ARRAY[1000]))::text <> '' AS enqueued;
SELECT id FROM pgq.dequeue('{e}');
SELECT masked(6);
-- Picked by this session.
SELECT masked(5);
-- And by a named worker, in its second attempt.
SELECT pgq.enqueue('n', 'x') AS id \gset
SELECT count(*) FROM pgq.dequeue('{n}'); SELECT pgq.retry(:id, reason => 'once more'); SELECT count(*) FROM pgq.dequeue('{n}', worker => :'anna', lease => '1 hour');
SELECT masked(:id) AS explained;
SELECT pgq.release(ARRAY[:id], :'anna') IS NOT NULL AS released;
SELECT masked(:id) AS explained;

-- Deferred, for a time and for ever; and its time has come.
SELECT pgq.enqueue('d', execute_after => '2200-01-01 00:00+00') AS id \gset
SET timezone = 'Asia/Tokyo';
SELECT regexp_replace(pgq.explain(:id), '\(in [^)]*\)', '(in LENGTH)') AS explained;
RESET timezone;
SELECT pgq.enqueue('d', execute_after => 'infinity') AS ever \gset
SELECT pgq.explain(:ever) AS explained;
SELECT pgq.reschedule(ARRAY[:id, :ever]) IS NOT NULL AS rescheduled;
SELECT masked(:id) AS explained;
-- To be tried again.
SELECT pgq.configure('f', max_attempts => 2, backoff_initial => '1 hour', backoff_max => '1 hour') IS NOT NULL AS configured;
SELECT pgq.enqueue('f') AS id \gset
SELECT count(*) FROM pgq.dequeue('{f}'); SELECT pgq.fail(:id, E'no route\nto host');
SELECT masked(:id) AS explained;
SELECT pgq.reschedule(ARRAY[:id]) IS NOT NULL AS rescheduled;
-- Given up, and held.
SELECT count(*) FROM pgq.dequeue('{f}'); SELECT pgq.fail(:id, error_jsonb => '{"code": 7}');
SELECT masked(:id) AS explained;
SELECT pgq.requeue(ARRAY[:id]) IS NOT NULL AS requeued;
SELECT masked(:id) AS explained;
-- Ended, in each way.
SELECT pgq.enqueue_many_text('{g}', '{successful,exception,canceled,deleted}') AS ids \gset
SELECT count(*) FROM pgq.dequeue('{g}', 2);
SELECT pgq.finish((:'ids'::bigint[])[1:2], '{successful,exception}', ARRAY[NULL, '"boom"']::jsonb[]) IS NOT NULL,
       pgq.cancel((:'ids'::bigint[])[3:3]) IS NOT NULL, pgq.delete((:'ids'::bigint[])[4:4]) IS NOT NULL;
SELECT masked(id) FROM unnest(:'ids'::bigint[]) AS id;

-- Paused, and resumed.
SELECT pgq.pause('p'), pgq.enqueue('p') AS id \gset
SELECT explained(:id);
SELECT pgq.resume('p');
SELECT explained(:id) ~ 'no worker has asked' AS resumed;
-- A concurrency limit, and a rate limit.
SELECT pgq.configure('l', concurrency_limit => 2) IS NOT NULL AS configured;
SELECT (pgq.enqueue_many_text('{l}', '{1,2,3}'))[3] AS id \gset
SELECT count(*) FROM pgq.dequeue('{l}', 3);
SELECT explained(:id);
SELECT pgq.complete(:id - 1);
SELECT masked(:id) AS explained;
SELECT pgq.configure('r', rate_limit => 2, rate_period => '90 min') IS NOT NULL AS configured;
SELECT (pgq.enqueue_many_text('{r}', '{1,2,3}'))[3] AS id \gset
SELECT count(*) FROM pgq.dequeue('{r}', 3);
SELECT regexp_replace(explained(:id), '\(in [^)]*\)', '(in LENGTH)') AS explained;
SELECT pgq.configure('r', rate_limit => 3) IS NOT NULL AS configured;
SELECT masked(:id) AS explained;
-- An ordering key: behind a job that is queued, picked, deferred; and the first.
SELECT pgq.enqueue('k', 'first', ordering_key => 'account 7') AS first \gset
SELECT pgq.enqueue('k', 'second', ordering_key => 'account 7', priority => 9) AS id \gset
SELECT replace(explained(:id), :'first', 'FIRST') AS explained;
SELECT count(*) FROM pgq.dequeue('{k}');
SELECT replace(masked(:id), :'first', 'FIRST') AS explained;
SELECT pgq.retry(:first, '1 hour');
SELECT replace(masked(:id), :'first', 'FIRST') AS explained;
SELECT pgq.delete(ARRAY[:first]) IS NOT NULL AS deleted;
SELECT masked(:id) AS explained;
-- In a transaction: its own claim, and its end.
BEGIN;
SELECT count(*) FROM pgq.dequeue('{k}');
SELECT masked(:id) AS explained;
COMMIT;
BEGIN;
SELECT pgq.complete(:id);
SELECT masked(:id) AS explained;
ROLLBACK;

-- Who may ask: a producer for what it enqueued, a monitor for all.
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_one, regress_two, regress_three;
RESET client_min_messages;
CREATE ROLE regress_one; CREATE ROLE regress_two; CREATE ROLE regress_three;
SELECT pgq.grant_producer('regress_one'), pgq.grant_producer('regress_two'), pgq.grant_monitor('regress_three');
SET ROLE regress_one;
SELECT pgq.enqueue('w', 'secret', delay => '1 day') AS id \gset
SELECT pgq.explain(:id) ~ 'is deferred until' AS its_own;
SET ROLE regress_two;
SELECT pgq.explain(:id) = replace(pgq.explain(999999), '999999', :'id') AS as_if_it_were_not_there, pgq.explain(999999);
SET ROLE regress_three;
SELECT pgq.explain(:id) ~ 'is deferred until' AS for_a_monitor;
RESET ROLE;
SELECT pgq.cancel(ARRAY[:id]) IS NOT NULL AS canceled;
SET ROLE regress_one;
SELECT pgq.explain(:id) ~ 'has ended: canceled' AS its_own;
SET ROLE regress_two;
SELECT pgq.explain(:id) ~ 'is not known' AS not_its_own;
RESET ROLE;
SELECT pgq.revoke_all(r) FROM unnest('{regress_one,regress_two,regress_three}'::text[]) AS r;
DROP ROLE regress_one, regress_two, regress_three;
