-- Attempts and jobs that ended, the last one first. $1 limit, $2 the prefix, $3 how many characters of an error, $4 an
-- entrypoint or NULL, $5 an outcome or NULL.
-- The log knows when its rows were written only roughly, by the page (job_log_finished_idx, brin). So the newest rows, which
-- an index finds by their jobs, tell from when on there are enough that fit; only those pages are read. Twenty thousand are
-- looked at, and nothing that ended before them.
WITH newest AS MATERIALIZED (
    SELECT l.finished, starts_with(l.entrypoint, $2) AND ($4::text IS NULL OR l.entrypoint = $4)
                       AND ($5::text IS NULL OR l.outcome::text = $5) AS fits
      FROM (SELECT l.finished, l.entrypoint, l.outcome FROM pgq.job_log AS l ORDER BY l.job_id DESC LIMIT 20000) AS l
), since AS MATERIALIZED (
    SELECT coalesce((SELECT n.finished FROM newest AS n WHERE n.fits ORDER BY n.finished DESC OFFSET $1 - 1 LIMIT 1),
                    (SELECT min(n.finished) FROM newest AS n)) AS finished
)
SELECT row_to_json(l)
  FROM (SELECT l.job_id, substr(l.entrypoint, length($2) + 1) AS entrypoint, l.outcome, l.finished,
               CASE WHEN l.picked IS NOT NULL THEN l.attempts + 1 END AS attempt, left(l.error #>> '{}', $3::int) AS error,
               round(extract(epoch FROM l.picked - l.created)::numeric, 3)::float8 AS wait_seconds,
               round(extract(epoch FROM l.finished - l.picked)::numeric, 3)::float8 AS run_seconds, l.priority, l.worker
          FROM pgq.job_log AS l
         WHERE l.finished >= (SELECT s.finished FROM since AS s)
           AND starts_with(l.entrypoint, $2) AND ($4 IS NULL OR l.entrypoint = $4) AND ($5 IS NULL OR l.outcome::text = $5)
         ORDER BY l.finished DESC, l.job_id DESC, l.attempts DESC
         LIMIT $1) AS l
