\set ECHO none
\i tests/pg_regress/fresh.sql
-- Rights: no object in a caller's search_path can change what the functions do. A schema that comes first in the path,
-- before pg_catalog too, shadows every function, operator, aggregate, type and table that a statement could name; to
-- touch one is an error.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS hostile CASCADE;
DROP ROLE IF EXISTS regress_producer, regress_worker, regress_monitor, regress_admin;
RESET client_min_messages;
CREATE SCHEMA hostile;
GRANT USAGE ON SCHEMA hostile TO PUBLIC;

CREATE PROCEDURE regress.shadow(wanted int, kind text, source text) LANGUAGE plpgsql AS $$
DECLARE
    command text;
    made int := 0;
BEGIN
    FOR command IN EXECUTE source LOOP
        BEGIN
            EXECUTE command;
            made := made + 1;
        EXCEPTION WHEN OTHERS THEN
            -- What PL/pgSQL cannot declare ("any", internal) cannot be shadowed by a caller without the right to make C functions.
        END;
    END LOOP;
    RAISE NOTICE 'at least % %: %', wanted, kind, made >= wanted;
END
$$;
CALL regress.shadow(2000, 'functions', $$
    SELECT format('CREATE FUNCTION hostile.%I(%s) RETURNS %s%s LANGUAGE plpgsql AS %L', p.proname,
                  (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n) FROM unnest(p.proargtypes) WITH ORDINALITY AS a(t, n)),
                  CASE WHEN p.proretset THEN 'SETOF ' END, format_type(p.prorettype, NULL), 'BEGIN RAISE EXCEPTION ''hijacked''; END')
      FROM pg_proc AS p WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind IN ('f', 'w')$$);
CALL regress.shadow(700, 'functions behind operators', $$
    SELECT format('CREATE FUNCTION hostile.operator_%s(%s, %s) RETURNS %s LANGUAGE plpgsql AS %L', o.oid, format_type(o.oprleft, NULL),
                  format_type(o.oprright, NULL), format_type(o.oprresult, NULL), 'BEGIN RAISE EXCEPTION ''hijacked''; END')
      FROM pg_operator AS o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprkind = 'b'$$);
CALL regress.shadow(700, 'operators', $$
    SELECT format('CREATE OPERATOR hostile.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = hostile.operator_%s)',
                  o.oprname, format_type(o.oprleft, NULL), format_type(o.oprright, NULL), o.oid)
      FROM pg_operator AS o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprkind = 'b'$$);
CREATE FUNCTION hostile.step(state bigint) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE FUNCTION hostile.step(state bigint, value anyelement) RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'hijacked'; END $$;
CREATE AGGREGATE hostile.count(*) (SFUNC = hostile.step, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE hostile.count(anyelement) (SFUNC = hostile.step, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE hostile.array_agg(anyelement) (SFUNC = hostile.step, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE hostile.max(anyelement) (SFUNC = hostile.step, STYPE = bigint, INITCOND = '0');
CREATE AGGREGATE hostile.min(anyelement) (SFUNC = hostile.step, STYPE = bigint, INITCOND = '0');
CREATE TABLE hostile.job (id bigint);
CREATE TABLE hostile.jobs (id bigint);
CREATE TABLE hostile.job_log (job_id bigint);
CREATE TABLE hostile.entrypoints (entrypoint bigint);
CREATE TABLE hostile.log_ring (current bigint);
CREATE TABLE hostile.pg_class (oid int);
CREATE TABLE hostile.pg_proc (oid int);
CREATE TABLE hostile.pg_roles (rolname int);
CREATE TABLE hostile.pg_namespace (oid int);
CREATE SEQUENCE hostile.job_id_seq START 1000;
CREATE TEMP TABLE job (id bigint);
CREATE TEMP TABLE job_log (job_id bigint);
CREATE TYPE hostile.job_status AS ENUM ('hijacked');
CALL regress.shadow(20, 'types', $$
    SELECT format('CREATE DOMAIN hostile.%I AS pg_catalog.varchar CHECK (hostile.pg_backend_pid() > 0)', t)
      FROM unnest('{text,bytea,json,jsonb,uuid,timestamptz,interval,xid,tid,int2,int4,int8,float8,bool,name,oid,regclass,regprocedure,regnamespace,trigger}'::text[]) AS t$$);

CREATE ROLE regress_producer;
CREATE ROLE regress_worker;
CREATE ROLE regress_monitor;
CREATE ROLE regress_admin;

SET search_path = hostile, pg_catalog, public;
-- The trap snaps.
SELECT now();
SELECT 1 = 1;
SELECT count(*) FROM pg_catalog.pg_am;
SELECT 'x'::text;
SELECT * FROM job;

-- As a superuser: every function of the queue.
SELECT pgq.grant_producer('regress_producer'), pgq.grant_worker('regress_worker'), pgq.grant_monitor('regress_monitor'), pgq.grant_admin('regress_admin');
SELECT pgq.enqueue('fetch', 'one', 1, delay => '-1 s', headers => '{}', dedupe_key => 'k', ordering_key => 'o');
SELECT pgq.enqueue('fetch', payload_bytes => '\x00'), pgq.enqueue('fetch', payload_json => '1'), pgq.enqueue('fetch', payload_jsonb => '1');
SELECT pgq.enqueue('fetch', 'one', dedupe_key => 'k', on_conflict => 'skip'), pgq.enqueue('fetch', 'one again', dedupe_key => 'k', on_conflict => 'replace');
SELECT pgq.enqueue('fetch', dedupe_key => 'k');
SELECT pgq.enqueue('');
SELECT pgq.enqueue_many('{fetch,parse}', '{NULL,NULL}', '{1,2}', dedupe_keys => '{a,b}', ordering_keys => '{x,y}');
SELECT pgq.enqueue_many_text('{fetch}', '{x,y}', dedupe_keys => '{a,c}', on_conflict => 'skip'), pgq.enqueue_many_text('{fetch}', '{x,y}', dedupe_keys => '{a,c}', on_conflict => 'replace');
INSERT INTO pgq.jobs (entrypoint, payload, dedupe_key) VALUES ('fetch', 'inserted', 'i') RETURNING id, status;
COPY pgq.jobs (entrypoint, dedupe_key) FROM STDIN;
fetch	copied
\.
UPDATE pgq.jobs SET priority = 1;
SELECT id, entrypoint, pgq.payload_text(payload), pgq.payload_json(payload), priority, status FROM pgq.jobs ORDER BY id;
SELECT (pgq.configure('fetch', concurrency_limit => 100, rate_limit => 100, rate_period => '1 hour', max_attempts => 2, backoff_initial => '1 hour', backoff_max => '1 hour')).max_attempts;
SELECT pgq.pause('fetch'), pgq.resume('fetch');
SELECT id, status FROM pgq.dequeue('{fetch,parse}', 5);
SELECT id, status FROM pgq.dequeue('{fetch,parse}', 2, :'anna', '1 min', 5);
SELECT pgq.heartbeat(:'anna', '1 min', '{1}');
SELECT id, status FROM pgq.jobs ORDER BY id;
SELECT pgq.complete(6), pgq.complete_many('{5}'), pgq.fail(1, 'text'), pgq.finish('{9}', '{failed}'), pgq.release('{2}'), pgq.release('{2,3,4,9,10,12,13}');
SELECT id, status FROM pgq.dequeue('{fetch}', 2);
SELECT pgq.retry(2, '1 hour'), pgq.fail(2, error_json => '1'), pgq.fail(3, error_jsonb => '1');
SELECT pgq.requeue('{9}'), pgq.reschedule('{2}'), pgq.cancel('{1}'), pgq.delete('{2}'), pgq.clear('{parse}');
SELECT id, status, attempts FROM pgq.status('{1,2,3,4,5,6,9}') ORDER BY id;
SELECT entrypoint, priority, status, count FROM pgq.queue_size();
SELECT DISTINCT entrypoint, status FROM pgq.throughput() ORDER BY entrypoint, status;
SELECT entrypoint, count FROM pgq.latency();
SELECT kind, claims FROM pgq.workers ORDER BY kind;
SELECT job_id, outcome FROM pgq.job_log ORDER BY job_id;
BEGIN;
SELECT pgq.channel('fetch'), pgq.listen('{fetch}');
ROLLBACK;
SELECT pgq.set_durability('volatile'), pgq.set_durability('durable');
BEGIN;
TRUNCATE pgq.job;
ROLLBACK;

-- As each of the roles.
SET ROLE regress_producer;
SELECT pgq.enqueue('fetch', 'produced', dedupe_key => 'p') AS id \gset
SELECT pgq.enqueue('fetch', 'produced', dedupe_key => 'p', on_conflict => 'replace') IS NULL;
INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch');
SELECT status FROM pgq.status(ARRAY[:id]);
SET ROLE regress_worker;
SELECT pgq.heartbeat(:'bert');
SELECT id AS claimed FROM pgq.dequeue('{fetch}', 1, :'bert') \gset
SELECT pgq.fail(:claimed, 'x', :'bert');
SELECT id AS claimed FROM pgq.dequeue('{fetch}') \gset
SELECT pgq.complete(:claimed);
SET ROLE regress_monitor;
SELECT entrypoint, status FROM pgq.queue_size() WHERE entrypoint IS NULL;
SELECT status FROM pgq.status(ARRAY[:id]);
SELECT entrypoint FROM pgq.jobs LIMIT 1;
SET ROLE regress_admin;
SELECT pgq.cancel(ARRAY[:id]) IS NULL, pgq.clear() IS NULL, pgq.revoke_all('regress_worker');
RESET ROLE;
SELECT pgq.revoke_all('regress_producer'), pgq.revoke_all('regress_monitor'), pgq.revoke_all('regress_admin');

-- Installing is safe too.
SET client_min_messages = warning;
DROP EXTENSION pgqueuer CASCADE;
CREATE EXTENSION pgqueuer;
RESET client_min_messages;
SELECT pgq.enqueue('fetch', 'one');
SELECT id, status FROM pgq.dequeue('{fetch}');
SELECT pgq.complete(1);

SET search_path = pg_catalog;
-- Nothing of theirs was used.
SELECT (SELECT count(*) FROM hostile.job) + (SELECT count(*) FROM hostile.jobs) + (SELECT count(*) FROM hostile.job_log)
       + (SELECT count(*) FROM hostile.entrypoints) AS rows, is_called FROM hostile.job_id_seq;
SET client_min_messages = warning;
DROP SCHEMA hostile CASCADE;
DROP ROLE regress_producer, regress_worker, regress_monitor, regress_admin;
