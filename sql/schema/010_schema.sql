-- The schema itself. Nobody but its owner has any right in it until a pgq.grant_… function gives one.

DO $$
BEGIN
    -- PgQ, an older extension of another project, uses the same schema. Adopting its objects would break both.
    IF EXISTS (SELECT FROM pg_catalog.pg_class WHERE relnamespace = 'pgq'::pg_catalog.regnamespace)
       OR EXISTS (SELECT FROM pg_catalog.pg_proc WHERE pronamespace = 'pgq'::pg_catalog.regnamespace) THEN
        RAISE EXCEPTION 'schema "pgq" belongs to something else'
            USING ERRCODE = 'duplicate_schema',
                  HINT = 'Install pgqueuer into a database whose schema "pgq" is empty or does not exist.';
    END IF;
END
$$;

REVOKE ALL ON SCHEMA pgq FROM PUBLIC;
COMMENT ON SCHEMA pgq IS 'pgqueuer: a job queue. Jobs are rows, claims are memory.';
