-- Jobs that somebody has held for long, the longest first. $1 seconds, $2 limit, $3 the prefix.
-- Reads the claims, and their rows by their ids.
SELECT row_to_json(j)
  FROM (SELECT j.id, substr(j.entrypoint, length($3) + 1) AS entrypoint, j.picked,
               round(extract(epoch FROM clock_timestamp() - j.picked)::numeric, 1) AS running_seconds, j.attempts, j.worker
          FROM pgq.jobs AS j
         WHERE j.picked < clock_timestamp() - make_interval(secs => $1) AND starts_with(j.entrypoint, $3)
         ORDER BY j.picked, j.id LIMIT $2) AS j
