-- Seeing: plain reads, without a line of Rust.

CREATE FUNCTION pgq.payload_text(payload bytea) RETURNS text
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'payload_text_wrapper';
COMMENT ON FUNCTION pgq.payload_text(bytea) IS
$$A payload as text; NULL where it is not UTF-8.
Example: SELECT id, pgq.payload_text(payload) FROM pgq.jobs$$;

CREATE FUNCTION pgq.payload_json(payload bytea) RETURNS jsonb
LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'payload_json_wrapper';
COMMENT ON FUNCTION pgq.payload_json(bytea) IS
$$A payload as JSON; NULL where it is not JSON.
Example: SELECT id, pgq.payload_json(payload)->>'url' FROM pgq.jobs$$;

CREATE FUNCTION pgq.caller() RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'caller_wrapper';
COMMENT ON FUNCTION pgq.caller() IS
    'The role in whose name the session works (the login role, or that of SET ROLE), also inside a SECURITY DEFINER function. Internal.';

CREATE FUNCTION pgq.status(
    ids bigint[], OUT id bigint, OUT status pgq.job_status, OUT attempts int, OUT error jsonb, OUT finished_at timestamptz
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 10 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    WITH asked AS (
        SELECT DISTINCT a.id FROM pg_catalog.unnest($1) AS a(id) WHERE a.id IS NOT NULL
    ), seen AS (
        SELECT a.id,
               v.status AS live, v.attempts AS live_attempts, j.producer AS live_producer,
               l.outcome, l.attempts AS log_attempts, l.error, l.finished, l.producer AS log_producer
          FROM asked AS a
          LEFT JOIN pgq.job AS j ON j.id = a.id
          LEFT JOIN pgq.jobs AS v ON v.id = j.id
          LEFT JOIN LATERAL (
               SELECT l.outcome, l.attempts, l.error, l.finished, l.producer
                 FROM pgq.job_log AS l WHERE l.job_id = a.id ORDER BY l.finished DESC LIMIT 1) AS l ON true
    )
    SELECT s.id, coalesce(s.live, s.outcome), coalesce(s.live_attempts, s.log_attempts), s.error,
           CASE WHEN s.live IS NULL OR s.live = 'failed' THEN s.finished END
      FROM seen AS s
     WHERE coalesce(s.live, s.outcome) IS NOT NULL
       AND (coalesce(s.live_producer, s.log_producer) = pgq.caller()
            OR pg_catalog.has_table_privilege(pgq.caller(), 'pgq.job_log', 'SELECT'))
     ORDER BY s.id
$$;
COMMENT ON FUNCTION pgq.status(bigint[]) IS
$$What live and ended jobs are: status, attempts before the last one, the last error, and when it ended.

ids: the jobs. Unknown ones are left out; so are, for a role that is only a producer, jobs that it did not enqueue.

Example: SELECT * FROM pgq.status('{1,2}')$$;

CREATE FUNCTION pgq.queue_size(OUT entrypoint text, OUT priority int, OUT status pgq.job_status, OUT count bigint)
RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT j.entrypoint, j.priority, j.status, pg_catalog.count(*)
      FROM pgq.jobs AS j GROUP BY 1, 2, 3 ORDER BY 1, 2 DESC, 3
$$;
COMMENT ON FUNCTION pgq.queue_size() IS
$$How many live jobs there are. Reads the whole queue.
Example: SELECT * FROM pgq.queue_size()$$;

CREATE FUNCTION pgq.throughput(
    period interval DEFAULT '1 hour',
    OUT entrypoint text, OUT status pgq.job_status, OUT minute timestamptz, OUT count bigint
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.entrypoint, l.outcome, pg_catalog.date_trunc('minute', l.finished), pg_catalog.count(*)
      FROM pgq.job_log AS l
     WHERE $1 IS NOT NULL AND l.finished > pg_catalog.now() - greatest(least($1, interval '1000 years'), interval '0')
       AND l.outcome NOT IN ('retried', 'released')
     GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
$$;
COMMENT ON FUNCTION pgq.throughput(interval) IS
$$Ended jobs of the last period, by entrypoint, status and minute.
Example: SELECT * FROM pgq.throughput('10 min')$$;

CREATE FUNCTION pgq.latency(
    period interval DEFAULT '1 hour', OUT entrypoint text, OUT count bigint,
    OUT wait_p50 interval, OUT wait_p95 interval, OUT wait_p99 interval, OUT wait_max interval,
    OUT run_p50 interval, OUT run_p95 interval, OUT run_p99 interval, OUT run_max interval
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.entrypoint, l.jobs, l.wait[1], l.wait[2], l.wait[3], l.wait[4], l.run[1], l.run[2], l.run[3], l.run[4]
      FROM (SELECT l.entrypoint, pg_catalog.count(*) AS jobs,
                   pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY l.picked - l.created) AS wait,
                   pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY l.finished - l.picked) AS run
              FROM pgq.job_log AS l
             WHERE $1 IS NOT NULL AND l.finished > pg_catalog.now() - greatest(least($1, interval '1000 years'), interval '0')
               AND l.outcome = 'successful'
             GROUP BY l.entrypoint) AS l
     ORDER BY l.entrypoint
$$;
COMMENT ON FUNCTION pgq.latency(interval) IS
$$Successful jobs of the last period, by entrypoint: how long they waited for their last claim, and how long it took then.
Example: SELECT entrypoint, wait_p95, run_p95 FROM pgq.latency()$$;
