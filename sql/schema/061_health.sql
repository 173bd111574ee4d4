-- Health of the server: the library, the background worker, memory, and what ends or stops sessions. And what the other
-- checks ask memory for.

CREATE FUNCTION pgq.memory_fill(OUT name text, OUT used bigint, OUT room bigint, OUT forgotten bigint)
RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL RESTRICTED ROWS 5 AS 'MODULE_PATHNAME', 'memory_fill_wrapper';
COMMENT ON FUNCTION pgq.memory_fill() IS
    'How full the tables in memory are, and how many entries had to make room for others. Internal: read pgq.health.';

CREATE FUNCTION pgq.worker_state(OUT state text, OUT pid int, OUT since timestamptz)
RETURNS SETOF record LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 1 AS 'MODULE_PATHNAME', 'worker_state_wrapper';
COMMENT ON FUNCTION pgq.worker_state() IS 'Whether this database has its background worker. Internal: read pgq.health.';

CREATE FUNCTION pgq.library_version() RETURNS text
LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'library_version_wrapper';
COMMENT ON FUNCTION pgq.library_version() IS 'The version of the library that this session has loaded. Internal: read pgq.health.';

CREATE FUNCTION pgq.health_of_server(full_enough float8 DEFAULT 0.5, OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    WITH fill AS MATERIALIZED (
        SELECT f.name, f.used, f.room, f.forgotten FROM pgq.memory_fill() AS f
    ), worker AS MATERIALIZED (
        SELECT w.state, w.pid, w.since FROM pgq.worker_state() AS w
    ), stalled AS MATERIALIZED (
        -- Nobody but PostgreSQL itself knows who listens and how far each has read. One in the middle of a transaction reads nothing,
        -- nor does one whose client takes nothing.
        SELECT a.pid, pg_catalog.format('process %s (user %s, application "%s", database %s, %s since %s)', a.pid, a.usename, a.application_name,
                                        a.datname, a.state, pg_catalog.date_trunc('second', a.state_change)) AS who
          FROM pg_catalog.pg_stat_activity AS a
         WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
           AND (a.xact_start IS NOT NULL OR a.wait_event = 'ClientWrite')
         ORDER BY coalesce(a.xact_start, a.state_change) LIMIT 1
    ), timeouts AS MATERIALIZED (
        SELECT pg_catalog.format('%s for this session', t.value) AS name
          FROM (SELECT pg_catalog.current_setting('idle_session_timeout', true)) AS t(value) WHERE t.value <> '0'
        UNION ALL
        SELECT pg_catalog.format('%s for %s', pg_catalog.split_part(c.line, '=', 2),
                                 coalesce('role ' || r.rolname, 'all roles') || CASE WHEN s.setdatabase <> 0 THEN ' in this database' ELSE '' END)
          FROM pg_catalog.pg_db_role_setting AS s CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS c(line)
          LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
         WHERE c.line LIKE 'idle_session_timeout=%' AND c.line <> 'idle_session_timeout=0'
           AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database()))
    )
    SELECT 'preload', EXISTS (SELECT FROM fill) OR pg_catalog.pg_is_in_recovery(),
           CASE WHEN pg_catalog.pg_is_in_recovery() THEN 'this is a standby' WHEN EXISTS (SELECT FROM fill) THEN 'the library is preloaded'
                ELSE 'the library is not preloaded: jobs can be enqueued and not claimed' END,
           'Add the line shared_preload_libraries = ''pgqueuer'' to postgresql.conf (after a comma if it names others) and restart the server.'
    UNION ALL
    SELECT 'version', e.extversion = pgq.library_version(),
           pg_catalog.format('extension %s, library %s', e.extversion, pgq.library_version()),
           'Run ALTER EXTENSION pgqueuer UPDATE, or restart the server if the library was replaced.'
      FROM pg_catalog.pg_extension AS e WHERE e.extname = 'pgqueuer'
    UNION ALL
    SELECT 'background worker', w.state IN ('running', 'resting') OR w.state = 'starting' AND w.since > pg_catalog.now() - interval '1 min',
           CASE w.state WHEN 'running' THEN pg_catalog.format('process %s since %s', w.pid, w.since)
                        WHEN 'resting' THEN 'comes when there is something to do' WHEN 'starting' THEN 'is being started'
                        WHEN 'excluded' THEN 'settings leave this database out, or it is a template'
                        WHEN 'refused' THEN 'the server has no place for one: max_worker_processes are all taken'
                        WHEN 'no launcher' THEN 'the server has no launcher, or no place for one: max_worker_processes are all taken'
                        ELSE w.state END,
           CASE w.state WHEN 'excluded' THEN 'See pgqueuer.enabled and pgqueuer.databases.'
                        ELSE 'Raise max_worker_processes and restart the server; pgqueuer.max_background_workers says how many of them are ours.' END
      FROM worker AS w
    UNION ALL
    SELECT f.name, f.used < f.room * 7 / 8 AND f.forgotten = 0,
           pg_catalog.format('%s of %s', f.used, f.room)
               || CASE WHEN f.forgotten > 0 THEN pg_catalog.format(', %s had to make room for others', f.forgotten) ELSE '' END,
           pg_catalog.format('Raise %s and restart the server.',
               CASE f.name WHEN 'claims' THEN 'pgqueuer.max_claims' WHEN 'named workers' THEN 'pgqueuer.max_named_workers'
                           WHEN 'entrypoints' THEN 'pgqueuer.max_entrypoints' ELSE 'max_connections' END)
      FROM fill AS f
    UNION ALL
    SELECT 'notification queue', pg_catalog.pg_notification_queue_usage() < $1,
           pg_catalog.format('%s %% full', pg_catalog.round(100 * pg_catalog.pg_notification_queue_usage()::numeric, 1))
               || coalesce((SELECT ', waits perhaps for ' || s.who FROM stalled AS s WHERE pg_catalog.pg_notification_queue_usage() >= $1), ''),
           'Everybody who listens must have read what is in it. End the session that listens and does not read'
               || coalesce((SELECT pg_catalog.format(': SELECT pg_terminate_backend(%s)', s.pid) FROM stalled AS s),
                           ', the one with the oldest transaction') || '.'
    UNION ALL
    SELECT 'idle_session_timeout', t.names IS NULL, coalesce(t.names, '0'),
           'Workers wait in their sessions, and run long jobs in them. Set it to 0 for their roles: ALTER ROLE name SET idle_session_timeout = 0.'
      FROM (SELECT pg_catalog.string_agg(t.name, ', ' ORDER BY t.name) AS names FROM timeouts AS t) AS t
$$;
COMMENT ON FUNCTION pgq.health_of_server(float8) IS
$$Checks of the server. full_enough: how much of the notification queue may be in use, of 1. Internal: read pgq.health.$$;
