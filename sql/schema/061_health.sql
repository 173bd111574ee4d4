-- Health: what an operator should know, each check one row.

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

CREATE FUNCTION pgq.health(OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 12 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH fill AS MATERIALIZED (
        SELECT f.name, f.used, f.room, f.forgotten FROM pgq.memory_fill() AS f
    ), worker AS MATERIALIZED (
        SELECT w.state, w.pid, w.since FROM pgq.worker_state() AS w
    ), holder AS MATERIALIZED (
        SELECT h.age, h.who FROM (
            SELECT pg_catalog.age(a.backend_xmin), pg_catalog.format('process %s (%s, %s)', a.pid, a.usename, a.application_name)
              FROM pg_catalog.pg_stat_activity AS a WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid()
            UNION ALL
            SELECT pg_catalog.age(s.xmin), pg_catalog.format('replication slot %I', s.slot_name)
              FROM pg_catalog.pg_replication_slots AS s WHERE s.xmin IS NOT NULL
            UNION ALL
            SELECT pg_catalog.age(p.transaction), pg_catalog.format('prepared transaction %L', p.gid)
              FROM pg_catalog.pg_prepared_xacts AS p) AS h(age, who)
         ORDER BY h.age DESC LIMIT 1
    ), dead AS MATERIALIZED (
        SELECT pg_catalog.pg_stat_get_dead_tuples('pgq.job'::pg_catalog.regclass) AS dead,
               pg_catalog.pg_stat_get_live_tuples('pgq.job'::pg_catalog.regclass) AS live
    ), oldest AS MATERIALIZED (
        SELECT o.entrypoint, o.due FROM (
            SELECT j.entrypoint, j.due FROM pgq.job AS j WHERE j.due <= pg_catalog.now()
               AND NOT EXISTS (SELECT FROM pgq.claims() AS c WHERE c.id = j.id) ORDER BY j.due LIMIT 1) AS o
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
    SELECT 'background worker', w.state IN ('running', 'starting', 'resting'),
           CASE w.state WHEN 'running' THEN pg_catalog.format('process %s since %s', w.pid, w.since) ELSE w.state END,
           'See pgqueuer.enabled and pgqueuer.databases; where the server has no place for one, raise max_worker_processes and restart it.'
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
    SELECT 'oldest snapshot', coalesce((SELECT h.age < 10000000 FROM holder AS h), true),
           coalesce((SELECT pg_catalog.format('%s transactions old, held by %s', h.age, h.who) FROM holder AS h), 'none but this one'),
           'End what holds it: dead rows of finished jobs cannot be removed meanwhile.'
    UNION ALL
    SELECT 'dead rows', d.dead < 1000000 + 10 * d.live, pg_catalog.format('%s dead, %s live', d.dead, d.live),
           'See the check "oldest snapshot", and whether autovacuum keeps up with the table pgq.job.'
      FROM dead AS d
    UNION ALL
    SELECT 'oldest due job', coalesce((SELECT o.due > pg_catalog.now() - interval '15 min' FROM oldest AS o), true),
           coalesce((SELECT pg_catalog.format('of entrypoint %L, due since %s', o.entrypoint, o.due) FROM oldest AS o), 'none waits'),
           'Start workers of that entrypoint; see whether it is paused or its limit is reached.'
    UNION ALL
    SELECT 'notification queue', pg_catalog.pg_notification_queue_usage() < 0.5,
           pg_catalog.format('%s %% full', pg_catalog.round(100 * pg_catalog.pg_notification_queue_usage()::numeric, 1)),
           'End the session that listens and does not read: the one with the oldest transaction in pg_stat_activity.'
    UNION ALL
    SELECT 'idle_session_timeout', coalesce(pg_catalog.current_setting('idle_session_timeout', true), '0') = '0',
           coalesce(pg_catalog.current_setting('idle_session_timeout', true), '0'),
           'Set it to 0 for the roles of workers: it ends sessions that run a long job.'
$$;
COMMENT ON FUNCTION pgq.health() IS
$$One row for each thing that an operator should know: whether it is well, what was found, and what to do where it is not.
Reads the queue to find the oldest due job.
Example: SELECT * FROM pgq.health() WHERE NOT ok$$;
