-- What the log knows of a job, the last attempt first. $1 id, $2 the prefix, $3 how many.
-- Index: job_log_job_id_idx of each table of the ring.
SELECT row_to_json(x)
  FROM (SELECT substr(l.entrypoint, length($2) + 1) AS entrypoint, l.attempts, l.outcome, l.worker, l.created, l.finished,
               extract(epoch FROM l.finished - l.picked)::float8 AS took, left(l.error #>> '{}', 20000) AS error
          FROM pgq.job_log AS l
         WHERE l.job_id = $1 AND starts_with(l.entrypoint, $2) ORDER BY l.finished DESC LIMIT $3) AS x
