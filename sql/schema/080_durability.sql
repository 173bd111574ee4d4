-- How much of the queue survives a crash of the server.

CREATE FUNCTION pgq.set_durability(level text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    name text;
BEGIN
    IF level IS NULL OR level NOT IN ('durable', 'balanced', 'volatile') THEN
        RAISE EXCEPTION 'level must be a durability level, not %', coalesce('"' || level || '"', 'NULL')
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Allowed are "durable", "balanced" and "volatile".';
    END IF;
    FOREACH name IN ARRAY '{job_log_0,job_log_1,job_log_2,job_log_3,job_log_4,job_log_5,job_log_6,job_log_7}'::text[] LOOP
        PERFORM pgq.set_logged(name, level = 'durable');
    END LOOP;
    FOREACH name IN ARRAY '{job,entrypoints,schedules,log_ring,receipt}'::text[] LOOP
        PERFORM pgq.set_logged(name, level <> 'volatile');
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgq.set_durability(text) IS
$$What survives a crash of the server. level: durable for everything; balanced for jobs and settings, not the log; volatile for
nothing. Rewrites the tables it changes and keeps their rows; others wait meanwhile. A dump does not carry the level.
Error: 22023 for another word.
Example: SELECT pgq.set_durability('balanced')$$;

CREATE FUNCTION pgq.set_logged(name text, logged boolean) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_catalog.pg_class AS c
                WHERE c.oid = pg_catalog.format('pgq.%I', name)::pg_catalog.regclass
                  AND (c.relpersistence = 'p') <> logged) THEN
        EXECUTE pg_catalog.format('ALTER TABLE pgq.%I SET %s', name, CASE WHEN logged THEN 'LOGGED' ELSE 'UNLOGGED' END);
    END IF;
END
$$;
COMMENT ON FUNCTION pgq.set_logged(text, boolean) IS 'Makes a table of the queue logged or unlogged, unless it is. Internal.';

REVOKE ALL ON FUNCTION pgq.give(text, text[]), pgq.grant_producer(text), pgq.grant_worker(text), pgq.grant_monitor(text),
    pgq.grant_admin(text), pgq.revoke_all(text), pgq.set_durability(text), pgq.set_logged(text, boolean) FROM PUBLIC;
