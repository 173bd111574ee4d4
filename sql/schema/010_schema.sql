-- The schema itself, and what must be true of the database. Nobody but its owner has any right in it until a pgq.grant_... function gives one.

DO $$
BEGIN
    IF pg_catalog.current_setting('server_encoding') <> 'UTF8' THEN
        RAISE EXCEPTION 'pgqueuer needs a database with encoding UTF8, not %', pg_catalog.current_setting('server_encoding')
            USING ERRCODE = 'feature_not_supported',
                  HINT = 'Create one: CREATE DATABASE name ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;
    -- PgQ, an older extension of another project, uses the same schema. Adopting its objects would break both.
    -- A schema that another role owns is refused, too: its owner could drop what is in it.
    IF EXISTS (SELECT FROM pg_catalog.pg_depend AS d
                WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass
                  AND d.refobjid = 'pgq'::pg_catalog.regnamespace
                  AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass)
       OR EXISTS (SELECT FROM pg_catalog.pg_namespace AS n
                   WHERE n.nspname = 'pgq' AND pg_catalog.pg_get_userbyid(n.nspowner) <> current_user) THEN
        RAISE EXCEPTION 'schema "pgq" belongs to something else'
            USING ERRCODE = 'duplicate_schema',
                  HINT = 'Install pgqueuer into a database whose schema "pgq" is empty or does not exist.';
    END IF;
END
$$;

REVOKE ALL ON SCHEMA pgq FROM PUBLIC;
COMMENT ON SCHEMA pgq IS 'pgqueuer: a job queue. Jobs are rows, claims are memory.';
