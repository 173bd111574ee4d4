\set ECHO none
\i tests/pg_regress/fresh.sql
-- Scheduling: pgq.schedule, pgq.unschedule, pgq.pause_schedule, pgq.resume_schedule, pgq.cron_next, pgq.arm.
-- Nothing here ticks while the test runs: what does is tested where a server's clock can be waited for.
CREATE VIEW regress.schedules AS
SELECT id, name, cron, timezone, entrypoint, payload, priority, headers, catch_up, overlap, ordering_key, enabled,
       next_tick > now() AS to_come, last_tick, last_job, note, producer = session_user AS mine
  FROM pgq.schedules ORDER BY id;

-- The defaults: entrypoint is the name, in UTC, no payload.
SELECT pgq.schedule('report', '30 6 1 1 *');
SELECT * FROM regress.schedules;
-- Every argument by position, then by name in another order.
SELECT pgq.schedule('all', '0 0 29 2 *', 'work', 'text', 'Europe/Berlin', -5, '{"a": 1}', 'skip', true, 'key', NULL);
SELECT pgq.schedule(payload_bytes => '\x00ff', ordering_key => '', overlap => false, catch_up => 'all', headers => '{}', priority => 2147483647,
                    timezone => 'America/New_York', entrypoint => 'named', cron => '@yearly', name => 'by name');
SELECT * FROM regress.schedules WHERE name <> 'report';
-- The contract's names, their order and their defaults.
SELECT p.proname, pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result
  FROM pg_proc AS p WHERE p.pronamespace = 'pgq'::regnamespace
   AND p.proname IN ('schedule', 'unschedule', 'pause_schedule', 'resume_schedule', 'cron_next', 'arm') ORDER BY 1;
SELECT string_agg(attname, ' ' ORDER BY attnum) AS columns FROM pg_attribute
 WHERE attrelid = 'pgq.schedules'::regclass AND attnum > 0 AND NOT attisdropped;
-- Untyped parameters, as drivers send them, and NULL where it means: none given.
PREPARE untyped AS SELECT pgq.schedule($1, $2, $3, $4, timezone => $5);
EXECUTE untyped('untyped', '@monthly', NULL, 'text', 'UTC');
DEALLOCATE untyped;
SELECT pgq.schedule('nulls', '@yearly', NULL, NULL, 'UTC', NULL, NULL, 'one', NULL, NULL, NULL);
SELECT * FROM regress.schedules WHERE name IN ('untyped', 'nulls');

-- The time zone is written as the database of zones has it; the cron expression as it was given.
SELECT pgq.schedule('zone', ' 0  0 1 JAN	* ', timezone => 'europe/berlin');
SELECT cron, timezone FROM pgq.schedules WHERE name = 'zone';
SELECT next_tick = (date_trunc('year', now() AT TIME ZONE 'Europe/Berlin') + interval '1 year') AT TIME ZONE 'Europe/Berlin' AS midnight_in_berlin
  FROM pgq.schedules WHERE name = 'zone';
-- Names and payloads of any kind and length.
SELECT pgq.schedule(E'it''s "quoted" \\ Ü\n', '@yearly', payload => repeat('x', 1024)), pgq.schedule(repeat('é', 127), '@yearly'),
       pgq.schedule(' ', '@yearly', ' ', payload => ''), pgq.schedule('zero', '@yearly', payload_bytes => ''),
       pgq.schedule('large', '@yearly', payload => repeat('€', 1000000));
SELECT id, length(name), octet_length(payload) FROM pgq.schedules WHERE id >= 8 ORDER BY id;
SELECT pgq.schedule('keys', '@yearly', ordering_key => repeat('x', 2000)), pgq.schedule('list', rpad('0', 991, ',0') || ' * * * *');
SELECT pgq.unschedule(name) FROM pgq.schedules WHERE id > 3;

-- Upsert by name: the id stays; everything that is given again or left out is what the call says.
SELECT pgq.schedule('all', '0 0 29 2 *', timezone => 'Europe/Berlin');
SELECT * FROM regress.schedules WHERE name = 'all';
-- next_tick stays where cron and timezone do, and is made anew where one of them does not.
UPDATE pgq.schedules SET next_tick = '2099-06-01 12:00+00', note = 'a note' WHERE name = 'report';
SELECT pgq.schedule('report', '30 6 1 1 *', 'other', priority => 3);
SELECT entrypoint, next_tick AT TIME ZONE 'UTC' AS next_tick, note FROM pgq.schedules WHERE name = 'report';
SELECT pgq.schedule('report', '30 6 1 1 *', timezone => 'Asia/Tokyo');
SELECT next_tick < now() + interval '367 days' AS anew FROM pgq.schedules WHERE name = 'report';
UPDATE pgq.schedules SET next_tick = '2099-06-01 12:00+00' WHERE name = 'report';
SELECT pgq.schedule('report', '31 6 1 1 *', timezone => 'Asia/Tokyo');
SELECT next_tick < now() + interval '367 days' AS anew FROM pgq.schedules WHERE name = 'report';
-- What it has done stays.
UPDATE pgq.schedules SET last_tick = '2020-01-01 00:00+00', last_job = 7 WHERE name = 'report';
SELECT pgq.schedule('report', '@daily');
SELECT last_tick AT TIME ZONE 'UTC' AS last_tick, last_job FROM pgq.schedules WHERE name = 'report';

-- Pause and resume: true where something has changed.
SELECT pgq.pause_schedule('report'), pgq.pause_schedule('report'), pgq.pause_schedule('never heard of'), pgq.pause_schedule('');
SELECT enabled, next_tick FROM pgq.schedules WHERE name = 'report';
-- A change keeps the pause, of cron too.
SELECT pgq.schedule('report', '@daily', 'changed'), pgq.schedule('report', '@weekly', 'changed again');
SELECT entrypoint, cron, enabled, next_tick FROM pgq.schedules WHERE name = 'report';
SELECT pgq.resume_schedule('report'), pgq.resume_schedule('report'), pgq.resume_schedule('never heard of'), pgq.resume_schedule('');
SELECT enabled, next_tick > now() AND next_tick <= now() + interval '7 days' AS from_now_on, last_job FROM pgq.schedules WHERE name = 'report';

-- All of it is transactional.
BEGIN;
SELECT pgq.schedule('rolled back', '@daily'), pgq.unschedule('all'), pgq.pause_schedule('report');
ROLLBACK;
SELECT name, enabled FROM pgq.schedules ORDER BY id;

-- Unschedule: true where there was one; jobs stay.
SELECT pgq.unschedule('report'), pgq.unschedule('report'), pgq.unschedule('never heard of'), pgq.unschedule('');
SELECT pgq.unschedule(name) FROM pgq.schedules;
SELECT count(*) FROM pgq.schedules;
-- In a read-only transaction nothing can be changed; one can look. 12 quotes the statement.
\set SHOW_CONTEXT never
BEGIN READ ONLY;
SELECT count(*) FROM pgq.schedules;
SELECT pgq.schedule('s', '@daily');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK;
\set SHOW_CONTEXT errors

-- CREATE EXTENSION has armed.
SELECT pgq.is_armed(), pgq.arm(), pgq.arm();

-- It looks with a snapshot of its own, as no part of a parallel query may.
SELECT set_config(CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'force_parallel_mode' ELSE 'debug_parallel_query' END, 'on', false) AS parallel \gset
SELECT pgq.is_armed();
