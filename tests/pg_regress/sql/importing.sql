\set ECHO none
-- Since 0.2.0.
\i tests/pg_regress/fresh.sql
-- Importing: pgq.import_jobs takes jobs over that another queue has begun with, pgq.import_schedule a schedule.
SET TimeZone = 'UTC';

-- Without a word of the past it is enqueue_many.
SELECT pgq.import_jobs('{a}', '{"\\x01",NULL}');
SELECT id, entrypoint, payload, attempts, status, now() - created < interval '1 min' AS created, execute_after = created AS due FROM pgq.jobs ORDER BY id;
SELECT pgq.clear();

-- With one: when each was enqueued, how often it was tried, since when it is held and what was said then.
SELECT pgq.import_jobs('{q,q,q,q,q}', '{"\\x31","\\x32","\\x33","\\x34","\\x35"}', priorities => '{0,0,0,1,0}',
    execute_after => ARRAY[NULL, NULL, '2020-01-05', NULL, '2020-01-01']::timestamptz[],
    dedupe_keys => '{k,NULL,NULL,k,NULL}', headers => ARRAY['{"a": 1}', NULL, NULL, NULL, NULL]::jsonb[],
    ordering_keys => '{NULL,o,o,NULL,NULL}',
    created => ARRAY['2020-01-04', '2020-01-03', '2020-01-02', '2020-01-01', '2020-01-06']::timestamptz[],
    attempts => '{2,NULL,0,3,NULL}', failed => ARRAY[NULL, NULL, NULL, '2020-01-07', '2020-01-08']::timestamptz[],
    errors => ARRAY[NULL, NULL, NULL, '{"no": "way"}', NULL]::jsonb[]);
SELECT id, priority, attempts, status, created, execute_after, dedupe_key, headers, ordering_key FROM pgq.jobs ORDER BY id;
SELECT id, due, failures, releases, held, producer = current_user AS producer FROM pgq.job ORDER BY id;
SELECT job_id, entrypoint, priority, attempts, outcome, error, created, picked, finished FROM pgq.job_log WHERE outcome = 'failed' ORDER BY job_id;
SELECT id, status, attempts, error, finished_at FROM pgq.status('{3,4,5,6,7}');
-- They are handed out in the order of when they became due; those that failed are counted towards max_attempts.
SELECT pgq.configure('q', max_attempts => 3) IS NOT NULL AS configured;
SELECT array_agg(id) FROM pgq.dequeue('{q}', 5);
SELECT pgq.fail(3, 'again'), pgq.complete(4);
SELECT array_agg(id) FROM pgq.dequeue('{q}', 5);
SELECT pgq.requeue('{6,7}');
SELECT array_agg(id) FROM pgq.dequeue('{q}', 5);

-- A dedupe key that is taken: an error, or the job is left out. That of one that is held is free, as for all who are held.
SELECT pgq.enqueue('q', dedupe_key => 'taken') AS id \gset
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL,NULL}', dedupe_keys => '{free,taken}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL,NULL}', dedupe_keys => '{twice,twice}')$$);
SELECT array_positions(pgq.import_jobs('{q}', '{NULL,NULL,NULL,NULL}', dedupe_keys => '{free,taken,twice,twice}', on_conflict => 'skip'), NULL) AS skipped;
SELECT cardinality(pgq.import_jobs('{q}', '{NULL,NULL}', dedupe_keys => '{taken,taken}', failed => '{2020-01-01,2020-01-01}')) AS held;
SELECT pgq.import_jobs('{q}', '{}');

-- Arguments are checked as those of enqueue_many, and nothing is inserted.
SELECT error_of($$SELECT pgq.import_jobs('{}', '{NULL}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{""}', '{NULL}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', NULL)$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', headers => '{"[1]"}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', on_conflict => 'replace')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', created => '{}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', created => '{infinity}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', failed => '{-infinity}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', attempts => '{-1}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', attempts => '{1,2}')$$);
SELECT error_of($$SELECT pgq.import_jobs('{q}', '{NULL}', errors => '{"1"}')$$);

-- A schedule goes on with the tick that is given. The scheduler sees nothing of these: it would find its clock set back. A time beside the ticks: the tick from two seconds before it on.
BEGIN;
SELECT pgq.import_schedule('daily', '0 6 * * *', 'report', next_tick => '2090-01-01 06:00+00', last_tick => '2020-01-01 06:00:03+00');
SELECT pgq.import_schedule('early', '0 6 * * *', 'report', next_tick => '2090-01-01 05:59:59+00'),
       pgq.import_schedule('late', '0 6 * * *', 'report', next_tick => '2090-01-01 06:00:01+00'),
       pgq.import_schedule('seconds', '* * * * * *', 'report', next_tick => '2090-01-01 06:00:01+00');
SELECT name, cron, timezone, entrypoint, catch_up, overlap, enabled, next_tick, last_tick FROM pgq.schedules ORDER BY name;
-- There is one of that name.
SELECT pgq.import_schedule('daily', '@hourly', 'report');
SELECT cron FROM pgq.schedules WHERE name = 'daily';
-- None given: the next one. One that has passed: the last one that has, for all of them.
SELECT pgq.import_schedule('next', '0 0 1 1 *', 'report'), pgq.import_schedule('past', '0 0 1 1 *', 'report', next_tick => '2001-01-01'),
       pgq.import_schedule('at once', '0 0 1 1 *', 'report', next_tick => '-infinity');
SELECT name, next_tick = date_trunc('year', now()) AS this_year, next_tick = date_trunc('year', now() + interval '1 year') AS next_year
  FROM pgq.schedules WHERE cron = '0 0 1 1 *' ORDER BY name;
ROLLBACK;
SELECT error_of($$SELECT pgq.import_schedule(NULL, '@daily', 'q')$$);
SELECT error_of($$SELECT pgq.import_schedule('n', '@daily', NULL)$$);
SELECT error_of($$SELECT pgq.import_schedule('n', '0 0 l * *', 'q')$$);
SELECT error_of($$SELECT pgq.import_schedule('n', '0 0 31 2 *', 'q')$$);
SELECT error_of($$SELECT pgq.import_schedule('n', '@daily', 'q', next_tick => 'infinity')$$);

-- For administrators only.
SELECT proname, has_function_privilege('pg_monitor', oid, 'EXECUTE') AS anybody FROM pg_proc
 WHERE pronamespace = 'pgq'::regnamespace AND proname LIKE 'import%' ORDER BY proname;
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_importer;
RESET client_min_messages;
CREATE ROLE regress_importer;
SELECT pgq.grant_producer('regress_importer'), pgq.grant_worker('regress_importer'), pgq.grant_monitor('regress_importer');
SELECT bool_or(has_function_privilege('regress_importer', oid, 'EXECUTE')) AS before FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace AND proname LIKE 'import%';
SELECT pgq.grant_admin('regress_importer');
SELECT bool_and(has_function_privilege('regress_importer', oid, 'EXECUTE')) AS as_admin FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace AND proname LIKE 'import%';
SELECT pgq.revoke_all('regress_importer');
DROP ROLE regress_importer;
