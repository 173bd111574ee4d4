-- What ended from a time on, the first one first. $1 entrypoints or NULL, $2 outcomes or NULL, $3 the time, $4 the prefix.
-- Index: job_log_finished_idx.
SELECT row_to_json(l)
  FROM (SELECT l.finished, l.job_id, substr(l.entrypoint, length($4) + 1) AS entrypoint, l.outcome,
               l.error #>> '{}' AS error, CASE WHEN l.picked IS NOT NULL THEN l.attempts + 1 END AS attempt,
               round(extract(epoch FROM l.picked - l.created)::numeric, 3) AS wait_seconds,
               round(extract(epoch FROM l.finished - l.picked)::numeric, 3) AS run_seconds, l.priority, l.worker
          FROM pgq.job_log AS l
         WHERE l.finished >= $3::timestamptz
           AND ($1::text[] IS NULL OR l.entrypoint = ANY ($1)) AND ($2::text[] IS NULL OR l.outcome::text = ANY ($2))
           AND starts_with(l.entrypoint, $4)
         ORDER BY l.finished, l.job_id, l.attempts) AS l
