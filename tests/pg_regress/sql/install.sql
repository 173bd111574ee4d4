\set ECHO none
\i tests/pg_regress/fresh.sql
\set SHOW_CONTEXT never
-- Operating: CREATE EXTENSION. Everything lives in schema pgq, which the control file fixes.
SET client_min_messages = warning;
DROP SCHEMA regress CASCADE;
DROP EXTENSION pgqueuer;
DROP SCHEMA pgq;
RESET client_min_messages;

CREATE EXTENSION pgqueuer SCHEMA public;
-- It does not adopt what belongs to something else.
CREATE SCHEMA pgq;
CREATE TABLE pgq.queue (queue_id int);
CREATE EXTENSION pgqueuer;
\echo :LAST_ERROR_SQLSTATE
DROP TABLE pgq.queue;
CREATE FUNCTION pgq.version() RETURNS text LANGUAGE sql AS $$ SELECT '3.5' $$;
CREATE EXTENSION pgqueuer;
\echo :LAST_ERROR_SQLSTATE
DROP FUNCTION pgq.version();
CREATE TYPE pgq.ret_batch_event AS (ev_id bigint);
CREATE EXTENSION pgqueuer;
\echo :LAST_ERROR_SQLSTATE
DROP TYPE pgq.ret_batch_event;
CREATE COLLATION pgq.c FROM "C";
CREATE EXTENSION pgqueuer;
\echo :LAST_ERROR_SQLSTATE
DROP COLLATION pgq.c;
-- Nor a schema of somebody who could drop what is in it.
SET client_min_messages = warning;
DROP ROLE IF EXISTS regress_owner;
RESET client_min_messages;
CREATE ROLE regress_owner;
ALTER SCHEMA pgq OWNER TO regress_owner;
CREATE EXTENSION pgqueuer;
\echo :LAST_ERROR_SQLSTATE
ALTER SCHEMA pgq OWNER TO CURRENT_USER;
DROP ROLE regress_owner;
SELECT count(*) FROM pg_extension WHERE extname = 'pgqueuer';
-- An empty schema is as good as none.
CREATE EXTENSION pgqueuer;
CREATE EXTENSION pgqueuer;

-- After nothing but CREATE EXTENSION, without a cast or a configuration.
SELECT pgq.enqueue('fetch', 'hello world');
SELECT id, entrypoint, convert_from(payload, 'UTF8'), status FROM pgq.dequeue('{fetch}');
SELECT pgq.complete(1);

-- DROP EXTENSION leaves nothing.
DROP EXTENSION pgqueuer;
SELECT count(*) FROM pg_class WHERE relnamespace = 'pgq'::regnamespace;
SELECT count(*) FROM pg_proc WHERE pronamespace = 'pgq'::regnamespace;
SELECT count(*) FROM pg_type WHERE typnamespace = 'pgq'::regnamespace;
-- An installation that is rolled back was none.
BEGIN;
CREATE EXTENSION pgqueuer;
SELECT pgq.enqueue('fetch');
SELECT count(*) FROM pgq.dequeue('{fetch}');
ROLLBACK;
SELECT count(*) FROM pg_extension WHERE extname = 'pgqueuer';
CREATE EXTENSION pgqueuer;
SELECT pgq.enqueue('fetch');
SELECT id FROM pgq.dequeue('{fetch}');
