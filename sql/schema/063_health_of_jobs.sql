-- Health of the jobs: whether they are worked on, and whether those that ended go in their time.

-- The first due job of each entrypoint and priority that nobody holds, four probes of job_claim_idx for each, as in
-- due_jobs.sql; of a thousand of them, should there be more. Planned for tables of any size, as all that reads the queue.
CREATE FUNCTION pgq.oldest_due_job(OUT id bigint, OUT entrypoint text, OUT due timestamptz) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
    WITH RECURSIVE pair(entrypoint, priority) AS (
        (SELECT j.entrypoint, j.priority FROM pgq.job AS j WHERE j.entrypoint > ''
          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1)
        UNION ALL
        SELECT coalesce(lower.entrypoint, other.entrypoint), coalesce(lower.priority, other.priority)
          FROM pair AS p
          LEFT JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                              WHERE j.entrypoint = p.entrypoint AND j.priority < p.priority
                              ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS lower ON true
          LEFT JOIN LATERAL (SELECT j.entrypoint, j.priority FROM pgq.job AS j
                              WHERE j.entrypoint > p.entrypoint AND lower.entrypoint IS NULL
                              ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS other ON true
         WHERE coalesce(lower.entrypoint, other.entrypoint) IS NOT NULL
    ), bounded AS MATERIALIZED (
        SELECT p.entrypoint, p.priority FROM pair AS p LIMIT 1000
    )
    SELECT o.id, o.entrypoint, o.due
      FROM bounded AS b
     CROSS JOIN LATERAL (SELECT j.id, j.entrypoint, j.due FROM pgq.job AS j
                          WHERE j.entrypoint = b.entrypoint AND j.priority = b.priority AND j.due <= pg_catalog.now()
                            AND j.id NOT IN (SELECT c.id FROM pgq.claims() AS c)
                          ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1) AS o
     ORDER BY o.due, o.id LIMIT 1
$$;
COMMENT ON FUNCTION pgq.oldest_due_job() IS 'The job that has been due for the longest time and that nobody holds. Internal: read pgq.health.';

-- The library registers the setting, so it is loaded first: a session that has not used the queue does not know it.
CREATE FUNCTION pgq.retention(setting text) RETURNS interval
LANGUAGE sql STABLE PARALLEL RESTRICTED SET search_path = pg_catalog, pg_temp AS $$
    SELECT CASE WHEN pgq.library_version() IS NOT NULL THEN nullif(pg_catalog.current_setting(setting, true)::interval, '0') END
$$;
COMMENT ON FUNCTION pgq.retention(text) IS 'How long something is kept, by a setting; NULL for ever. Internal.';

CREATE FUNCTION pgq.overdue_log(OUT slot int, OUT due timestamptz, OUT late interval, OUT who text, OUT hint text) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 1 SET search_path = pg_catalog, pg_temp AS $$
    WITH tables AS MATERIALIZED (
        -- Those that are not written any more, and that which is written for too long.
        SELECT t.slot, CASE WHEN t.slot = r.current THEN r.since + k.kept / 7 ELSE r.left_at[t.slot + 1] + k.kept END AS due,
               t.slot = r.current AS written
          FROM pgq.log_ring AS r
         CROSS JOIN (SELECT pg_catalog.make_interval(secs => extract(epoch FROM pgq.retention('pgqueuer.log_retention')))) AS k(kept)
         CROSS JOIN pg_catalog.generate_series(0, 7) AS t(slot)
    ), first AS MATERIALIZED (
        SELECT t.slot, t.due, t.written FROM tables AS t WHERE t.due < pg_catalog.now() ORDER BY t.due, t.slot LIMIT 1
    ), holder AS MATERIALIZED (
        SELECT a.pid, p.gid, a.xact_start,
               CASE WHEN p.gid IS NULL
                    THEN pg_catalog.format('process %s (user %s, application "%s", %s since %s)', a.pid, a.usename, a.application_name,
                                           coalesce(a.state, a.backend_type), pg_catalog.date_trunc('second', a.xact_start))
                    ELSE pg_catalog.format('prepared transaction %L (user %s, since %s)', p.gid, p.owner, pg_catalog.date_trunc('second', p.prepared))
               END AS who
          FROM first AS f
          JOIN pg_catalog.pg_locks AS l ON l.relation = pg_catalog.format('pgq.job_log_%s', f.slot)::pg_catalog.regclass
          LEFT JOIN pg_catalog.pg_stat_activity AS a ON a.pid = l.pid
          -- A prepared transaction has no process; its locks tell which it is by the one on its own number.
          LEFT JOIN pg_catalog.pg_locks AS n ON l.pid IS NULL AND n.pid IS NULL AND n.locktype = 'transactionid'
                                            AND n.virtualtransaction = l.virtualtransaction
          LEFT JOIN pg_catalog.pg_prepared_xacts AS p ON p.transaction = n.transactionid
         WHERE l.granted AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid() AND NOT f.written
           AND l.database = (SELECT d.oid FROM pg_catalog.pg_database AS d WHERE d.datname = pg_catalog.current_database())
         ORDER BY coalesce(a.xact_start, p.prepared) LIMIT 1
    )
    SELECT f.slot, f.due, pg_catalog.now() - f.due, h.who,
           CASE WHEN h.gid IS NOT NULL THEN pg_catalog.format('COMMIT PREPARED %1$L, or ROLLBACK PREPARED %1$L.', h.gid)
                WHEN h.pid IS NOT NULL THEN pg_catalog.format('End its transaction, or the session: SELECT pg_terminate_backend(%s).', h.pid)
                ELSE 'See the check "background worker", and the server''s log.' END
      FROM first AS f LEFT JOIN holder AS h ON true
$$;
COMMENT ON FUNCTION pgq.overdue_log() IS 'The table of the log''s ring that should have been emptied first, since when, and who is in the way. Internal: read pgq.health.';

CREATE FUNCTION pgq.health_of_jobs(
    waiting interval DEFAULT '15 min', late interval DEFAULT NULL, OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 3 SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off AS $$
    WITH oldest AS MATERIALIZED (
        SELECT o.id, o.entrypoint, o.due,
               EXISTS (SELECT FROM pgq.entrypoints AS e WHERE e.entrypoint = o.entrypoint AND e.paused) AS paused
          FROM pgq.oldest_due_job() AS o
    ), kept AS MATERIALIZED (
        SELECT k.log, k.failed, coalesce($2, greatest(least(interval '1 day', k.log / 8), interval '1 min')) AS late_log,
               coalesce($2, greatest(least(interval '1 day', k.failed / 8), interval '1 min')) AS late_failed
          FROM (SELECT pgq.retention('pgqueuer.log_retention'), pgq.retention('pgqueuer.failed_retention')) AS k(log, failed)
    ), held AS MATERIALIZED (
        SELECT pg_catalog.count(*) AS jobs, pg_catalog.min(h.since) AS since
          FROM (SELECT j.execute_after FROM pgq.job AS j WHERE j.held AND j.execute_after >= '-infinity' ORDER BY j.execute_after LIMIT 1000) AS h(since)
    ), overdue AS MATERIALIZED (
        SELECT o.slot, o.due, o.late, o.who, o.hint FROM pgq.overdue_log() AS o
    )
    SELECT 'oldest due job', coalesce((SELECT o.due > pg_catalog.now() - $1 FROM oldest AS o), true),
           coalesce((SELECT pg_catalog.format('job %s of entrypoint %L%s, due since %s', o.id, o.entrypoint, CASE WHEN o.paused THEN ', which is paused' END,
                                              pg_catalog.date_trunc('second', o.due)) FROM oldest AS o), 'none waits'),
           (SELECT CASE WHEN o.paused THEN pg_catalog.format('SELECT pgq.resume(%L).', o.entrypoint)
                        ELSE pg_catalog.format('Start workers of that entrypoint. SELECT pgq.explain(%s) says what it waits for.', o.id) END FROM oldest AS o)
    UNION ALL
    SELECT 'failed jobs', coalesce(h.since >= pg_catalog.now() - k.failed - k.late_failed, true),
           CASE WHEN h.jobs = 0 THEN 'none is held'
                ELSE pg_catalog.format('%s held, the oldest since %s%s', CASE WHEN h.jobs < 1000 THEN h.jobs::text ELSE '1000 or more' END,
                                       pg_catalog.date_trunc('second', h.since), ', and kept for ' || k.failed) END,
           'Those that are older should have been deleted. See the check "background worker", and the server''s log.'
      FROM held AS h CROSS JOIN kept AS k
    UNION ALL
    SELECT 'log retention', coalesce((SELECT o.late < k.late_log FROM overdue AS o), true),
           CASE WHEN k.log IS NULL THEN 'kept for ever' ELSE pg_catalog.format('kept for %s', k.log)
                || coalesce((SELECT pg_catalog.format('; pgq.job_log_%s should have gone at %s', o.slot, pg_catalog.date_trunc('second', o.due))
                                    || coalesce(', is read by ' || o.who, '') FROM overdue AS o), '') END,
           (SELECT o.hint FROM overdue AS o)
      FROM kept AS k
$$;
COMMENT ON FUNCTION pgq.health_of_jobs(interval, interval) IS
$$Checks of jobs, live and ended. waiting: how long a due job may wait. late: by how much retention may lag, NULL for an eighth of it,
at least a minute and at most a day. Internal: read pgq.health.$$;
