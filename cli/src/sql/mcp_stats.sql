-- What ended by minute, the last one first. $1 of so many seconds, $2 limit, $3 the prefix.
-- Index: job_log_finished_idx.
SELECT row_to_json(s)
  FROM (SELECT date_trunc('minute', l.finished) AS minute, substr(l.entrypoint, length($3) + 1) AS entrypoint, l.outcome,
               count(*) AS count
          FROM pgq.job_log AS l
         WHERE l.finished > now() - make_interval(secs => $1) AND starts_with(l.entrypoint, $3)
         GROUP BY 1, l.entrypoint, 3 ORDER BY 1 DESC, 2, 3 LIMIT $2) AS s
