-- What rows tell of why a job is not running: its own, the settings of its entrypoint, the first job of its ordering key, the last row of
-- the log. No row where the caller may not see the job.
-- Called by: see/explain.rs. Parameters: id, role of the caller.
-- Indexes: primary keys, job_ordering_key_idx as in look.sql, job_log_job_id_idx of each table of the ring.
SELECT j.entrypoint, j.priority, j.due, j.attempts, j.failures, j.held, j.created, j.xmax, j.ordering_key,
       e.concurrency_limit, e.rate_limit, e.rate_period, e.paused,
       k.id, k.due,
       l.outcome::text, l.attempts, l.error #>> '{}', l.finished
  FROM unnest(ARRAY[$1::bigint]) AS a(id)
  LEFT JOIN pgq.job AS j ON j.id = a.id
  LEFT JOIN pgq.entrypoints AS e ON e.entrypoint = j.entrypoint
  LEFT JOIN LATERAL (
       SELECT k.id, k.due FROM pgq.job AS k
        WHERE (k.entrypoint, k.ordering_key) >= (j.entrypoint, j.ordering_key) AND k.ordering_key IS NOT NULL AND NOT k.held
        ORDER BY k.entrypoint, k.ordering_key, k.id LIMIT 1) AS k ON j.ordering_key IS NOT NULL AND NOT j.held
  LEFT JOIN LATERAL (
       SELECT l.outcome, l.attempts, l.error, l.finished, l.producer FROM pgq.job_log AS l
        WHERE l.job_id = a.id AND (j.id IS NULL OR l.created = j.created) ORDER BY l.finished DESC LIMIT 1) AS l ON true
 WHERE coalesce(j.producer, l.producer) = $2::text OR has_table_privilege($2::text, 'pgq.job_log', 'SELECT')
