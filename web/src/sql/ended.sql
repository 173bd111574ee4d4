-- What ended, in slices of ten seconds. $1 from, $2 up to but not including, $3 the prefix.
-- Index: job_log_finished_idx of each table of the ring.
SELECT row_to_json(m)
  FROM (SELECT date_bin('10 s', l.finished, '2000-01-01 00:00:00+00') AS slice, l.entrypoint, l.outcome, count(*) AS jobs
          FROM pgq.job_log AS l
         WHERE l.finished >= $1 AND l.finished < $2 AND starts_with(l.entrypoint, $3)
         GROUP BY 1, 2, 3) AS m
