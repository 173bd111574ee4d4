-- The state in which every test begins: a new installation, so that ids start at 1, and a few words for tests in
-- schema regress. Included with ECHO off, so that expected files hold the test and nothing else.
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS regress CASCADE;
DROP EXTENSION IF EXISTS pgqueuer;
DROP SCHEMA IF EXISTS pgq;
-- The newest, or the release that tests/pg_regress/run is told to try.
\set version `echo "${PGQUEUER_VERSION:+VERSION '$PGQUEUER_VERSION'}"`
CREATE EXTENSION pgqueuer :version;
RESET client_min_messages;

CREATE SCHEMA regress;
GRANT USAGE ON SCHEMA regress TO PUBLIC;
SET search_path = public, regress;

-- Three named workers.
\set anna 'aaaaaaaa-0000-0000-0000-000000000001'
\set bert 'bbbbbbbb-0000-0000-0000-000000000002'
\set cora 'cccccccc-0000-0000-0000-000000000003'

-- Live jobs, without times and made-up uuids.
CREATE VIEW regress.queue AS
SELECT id, entrypoint, pgq.payload_text(payload) AS payload, priority, status, attempts FROM pgq.jobs ORDER BY id;

-- Ended attempts and jobs, in the order of their ends.
CREATE VIEW regress.log AS
SELECT job_id, entrypoint, outcome, attempts, error FROM pgq.job_log ORDER BY finished, job_id;

-- Everything that a call could change, times included: rows, log, settings, claims, workers.
CREATE FUNCTION regress.state() RETURNS text LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog AS $$
SELECT string_agg(t.line, chr(10) ORDER BY t.line)
  FROM (SELECT 'job ' || j::text FROM pgq.job AS j
        UNION ALL SELECT 'claim ' || c::text FROM pgq.claims() AS c
        UNION ALL SELECT 'log ' || l::text FROM pgq.job_log AS l
        UNION ALL SELECT 'entrypoint ' || e::text FROM pgq.entrypoints AS e
        UNION ALL SELECT 'worker ' || w.worker || ' ' || w.claims FROM pgq.workers AS w) AS t(line)
$$;

-- The error of a command, and whether the command left anything behind all the same.
CREATE FUNCTION regress.error_of(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before text := regress.state();
    message text;
    detail text;
    hint text;
BEGIN
    BEGIN
        EXECUTE command;
        RETURN 'no error';
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
        message := SQLSTATE || ': ' || message;
    END;
    RETURN message || CASE WHEN detail <> '' THEN E'\nDETAIL: ' || detail ELSE '' END
                   || CASE WHEN hint <> '' THEN E'\nHINT: ' || hint ELSE '' END
                   || CASE WHEN regress.state() IS DISTINCT FROM before THEN E'\nAND SOMETHING CHANGED' ELSE '' END;
END
$$;

\pset format unaligned
\pset null NULL
\set ECHO all
