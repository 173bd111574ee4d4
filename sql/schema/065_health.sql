-- Health: what an operator should know, each check one row. The checks are in the files before this one.

CREATE FUNCTION pgq.health(OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT h."check", h.ok, h.detail, CASE WHEN NOT h.ok THEN h.hint END
      FROM (SELECT s."check", s.ok, s.detail, s.hint FROM pgq.health_of_server() AS s
            UNION ALL
            SELECT r."check", r.ok, r.detail, r.hint FROM pgq.health_of_rows() AS r
            UNION ALL
            -- On a standby an unlogged table cannot be read, not even planned for: asked before the function is called.
            SELECT j."check", j.ok, j.detail, j.hint
              FROM (SELECT j."check", j.ok, j.detail, j.hint FROM pgq.health_of_jobs() AS j
                    UNION ALL
                    SELECT s."check", s.ok, s.detail, s.hint FROM pgq.health_of_schedules() AS s) AS j
             WHERE (SELECT NOT pg_catalog.pg_is_in_recovery()
                           OR NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c
                                           WHERE c.oid IN ('pgq.job'::pg_catalog.regclass, 'pgq.entrypoints'::pg_catalog.regclass,
                                                           'pgq.schedules'::pg_catalog.regclass, 'pgq.installation'::pg_catalog.regclass,
                                                           'pgq.log_ring'::pg_catalog.regclass) AND c.relpersistence = 'u'))) AS h
$$;
COMMENT ON FUNCTION pgq.health() IS
$$One row for each thing that an operator should know: whether it is well, what was found, and, where it is not well, what to do.
Reads no more than the first job of each entrypoint and priority.
Example: SELECT * FROM pgq.health() WHERE NOT ok$$;
