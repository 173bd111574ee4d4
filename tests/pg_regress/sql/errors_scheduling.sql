\set ECHO none
\i tests/pg_regress/fresh.sql
-- Scheduling: every error, with its SQLSTATE, the argument's name, the field and the position, a hint, and nothing changed.
SELECT pgq.schedule('taken', '@yearly', 'before', 'payload');
SELECT s::text AS before FROM pgq.schedules AS s \gset
CREATE FUNCTION regress.cron_error(cron text) RETURNS text LANGUAGE sql AS
$$ SELECT split_part(split_part(regress.error_of(format('SELECT pgq.schedule(%L, %L)', 'taken', cron)), 'DETAIL: ', 2), E'\nHINT', 1) $$;

-- The name and the entrypoint.
SELECT error_of($$SELECT pgq.schedule(NULL, '@daily')$$);
SELECT error_of($$SELECT pgq.schedule('', '@daily')$$);
SELECT error_of($$SELECT pgq.schedule(repeat('x', 256), '@daily')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', '')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', repeat('é', 128))$$);
SELECT error_of($$SELECT pgq.unschedule(NULL)$$);
SELECT error_of($$SELECT pgq.pause_schedule(NULL)$$);
SELECT error_of($$SELECT pgq.resume_schedule(NULL)$$);
-- The expression: all of an error, then the field and the position of many.
SELECT error_of($$SELECT pgq.schedule('taken', NULL)$$);
SELECT error_of($$SELECT pgq.schedule('taken', '0 0 1,15,32 * *')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@reboot')$$);
SELECT error_of($$SELECT pgq.schedule('new', '0 0 31 2 *')$$);
SELECT error_of($$SELECT pgq.schedule('new', '0 0 30 2 *', timezone => 'Europe/Berlin')$$);
SELECT cron, regress.cron_error(cron) FROM unnest(ARRAY[
    '', '   ', '* * * *', '* * * * * * *', 'every day', '@every 5m', '@daily 5', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '* * * * * 60',
    '*/0 * * * *', '*/61 * * * *', '5/ * * * *', '1-2-3 * * * *', '50-10 * * * *', '0 22-2 * * *', '0 0 * nov-feb *', '0 0 * * fri-mon', '0 0 * * sat-1',
    '1,,2 * * * *', ',1 * * * *', '-5 * * * *', '+5 * * * *', '1.5 * * * *', '0 0 L * *', '0 0 15W * *', '0 0 ? * *', '0 0 * * 5#2', '0 0 * * 5L', 'H * * * *',
    '0 0 * mon *', '0 0 * * jan', '0 0 * january *', '99999999999999999999 * * * *', '0 0 * * ''; DROP TABLE pgq.job', '０ 0 * * *', '0 ä * * *', E'0 0 * *\u00a0*']) AS cron;
SELECT regress.cron_error(repeat('0,', 1000) || '0 * * * *'), regress.cron_error(repeat('x', 1000) || ' * * * *') = regress.cron_error(repeat('x', 1000) || ' * * * *') AS short;
SELECT length(regress.cron_error('0 ' || repeat('x', 900) || ' * * *')) < 1200 AS bounded;
-- Time zones.
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', timezone => NULL)$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', timezone => '')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', timezone => 'Europe/Bonn')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', timezone => '+01:00')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', timezone => repeat('Europe/Berlin', 80))$$);
-- Policies, headers, keys, payloads.
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', catch_up => 'al')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', catch_up => 'ONE')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', catch_up => '')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', catch_up => NULL)$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', catch_up => repeat('x', 1000))$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', headers => '[]')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', headers => 'null')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', ordering_key => repeat('x', 2001))$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', payload => 'a', payload_bytes => 'b')$$);
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', payload => '', payload_bytes => '')$$);
-- cron_next: the same, and its own.
SELECT error_of($$SELECT pgq.cron_next(NULL)$$);
SELECT error_of($$SELECT * FROM pgq.cron_next('5 25 * * *')$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', NULL)$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', now(), NULL)$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', timezone => 'Mars/Olympus')$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', count => 0)$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', count => -1)$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', count => 100001)$$);
SELECT error_of($$SELECT pgq.cron_next('@daily', count => NULL)$$);
-- None of these calls has changed anything.
SELECT count(*), bool_and(s::text = :'before') AS as_before FROM pgq.schedules AS s;

-- Who may: an admin everything, a monitor looks, a producer and a worker neither.
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_nobody, regress_producer, regress_worker, regress_monitor, regress_admin;
RESET client_min_messages;
CREATE ROLE regress_nobody;
CREATE ROLE regress_producer;
CREATE ROLE regress_worker;
CREATE ROLE regress_monitor;
CREATE ROLE regress_admin;
SELECT pgq.grant_producer('regress_producer'), pgq.grant_worker('regress_worker'), pgq.grant_monitor('regress_monitor'), pgq.grant_admin('regress_admin');
CREATE FUNCTION regress.may(call text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    BEGIN
        EXECUTE call;
        RAISE 'it may' USING ERRCODE = 'ZZ000';
    EXCEPTION WHEN OTHERS THEN RETURN CASE SQLSTATE WHEN 'ZZ000' THEN 'yes' WHEN '42501' THEN 'no' ELSE SQLSTATE || SQLERRM END;
    END;
END
$$;
CREATE TABLE regress.calls (n int GENERATED ALWAYS AS IDENTITY, call text);
GRANT SELECT ON regress.calls TO PUBLIC;
INSERT INTO regress.calls (call) VALUES
    ($$SELECT pgq.schedule('s', '@daily')$$), ($$SELECT pgq.unschedule('taken')$$), ($$SELECT pgq.pause_schedule('taken')$$),
    ($$SELECT pgq.resume_schedule('taken')$$), ($$SELECT pgq.arm()$$), ($$SELECT pgq.cron_next('@daily')$$), ($$SELECT * FROM pgq.schedules$$),
    ($$SELECT pgq.is_armed()$$), ($$SELECT * FROM pgq.installation$$), ($$UPDATE pgq.schedules SET cron = '@hourly'$$), ($$DELETE FROM pgq.schedules$$),
    ($$INSERT INTO pgq.schedules SELECT * FROM pgq.schedules LIMIT 0$$), ($$TRUNCATE pgq.schedules$$), ($$SELECT nextval('pgq.schedule_id_seq')$$);
CREATE FUNCTION regress.who_may() RETURNS TABLE (call text, may text) LANGUAGE sql AS
$$ SELECT c.call, regress.may(c.call) FROM regress.calls AS c ORDER BY c.n $$;
SET ROLE regress_nobody;
SELECT string_agg(DISTINCT may, ' ') FROM regress.who_may();
SET ROLE regress_producer;
SELECT string_agg(DISTINCT may, ' ') FROM regress.who_may();
SET ROLE regress_worker;
SELECT string_agg(DISTINCT may, ' ') FROM regress.who_may();
SET ROLE regress_monitor;
SELECT * FROM regress.who_may();
SET ROLE regress_admin;
SELECT * FROM regress.who_may();
-- A schedule is made in the name of who calls, and belongs to nobody: another admin may change it.
SELECT pgq.schedule('by an admin', '@yearly');
RESET ROLE;
SELECT producer FROM pgq.schedules WHERE name = 'by an admin';
SELECT pgq.schedule('by an admin', '@yearly');
SELECT producer = session_user AS mine FROM pgq.schedules WHERE name = 'by an admin';
-- Objects in the caller's search_path change nothing.
CREATE FUNCTION public.jsonb_typeof(jsonb) RETURNS text LANGUAGE sql AS $$ SELECT 'object' $$;
SET search_path = public, pg_catalog, regress;
SELECT error_of($$SELECT pgq.schedule('taken', '@daily', headers => '1')$$);
DROP FUNCTION public.jsonb_typeof(jsonb);
SELECT pgq.revoke_all('regress_producer'), pgq.revoke_all('regress_worker'), pgq.revoke_all('regress_monitor'), pgq.revoke_all('regress_admin');
DROP ROLE regress_nobody, regress_producer, regress_worker, regress_monitor, regress_admin;
