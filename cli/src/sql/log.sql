-- Attempts and jobs that ended, the last one first. $1 entrypoints or NULL, $2 outcomes or NULL, $3 not before, $4 limit,
-- $5 the prefix.
-- The log knows when its rows were written only roughly, by the page (job_log_finished_idx, brin). So the newest jobs, which
-- an index finds, tell from when on there are enough rows; only those pages are read. Where the newest ten thousand (fifty
-- thousand, where not all fit) do not tell, what ended since the first of them is looked through, or all since $3 where that is
-- said.
WITH newest AS MATERIALIZED (
    SELECT l.finished, ($1::text[] IS NULL OR l.entrypoint = ANY ($1)) AND ($2::text[] IS NULL OR l.outcome::text = ANY ($2))
                       AND starts_with(l.entrypoint, $5) AS fits
      FROM (SELECT l.finished, l.entrypoint, l.outcome FROM pgq.job_log AS l ORDER BY l.job_id DESC
             LIMIT greatest($4, CASE WHEN $1 IS NULL AND $2 IS NULL AND $5 = '' THEN 10000 ELSE 50000 END)) AS l
), since AS MATERIALIZED (
    SELECT CASE WHEN e.finished IS NOT NULL THEN greatest($3::timestamptz, e.finished)
                WHEN $3 > '-infinity' THEN $3
                ELSE (SELECT min(n.finished) FROM newest AS n) END AS finished
      FROM (SELECT 1) AS one
      LEFT JOIN (SELECT n.finished FROM newest AS n WHERE n.fits ORDER BY n.finished DESC OFFSET $4 - 1 LIMIT 1) AS e ON true
)
SELECT row_to_json(l)
  FROM (SELECT l.finished, l.job_id, substr(l.entrypoint, length($5) + 1) AS entrypoint, l.outcome,
               l.error #>> '{}' AS error, CASE WHEN l.picked IS NOT NULL THEN l.attempts + 1 END AS attempt,
               round(extract(epoch FROM l.picked - l.created)::numeric, 3) AS wait_seconds,
               round(extract(epoch FROM l.finished - l.picked)::numeric, 3) AS run_seconds, l.priority, l.worker
          FROM pgq.job_log AS l
         WHERE l.finished >= (SELECT s.finished FROM since AS s)
           AND ($1 IS NULL OR l.entrypoint = ANY ($1)) AND ($2 IS NULL OR l.outcome::text = ANY ($2))
           AND starts_with(l.entrypoint, $5)
         ORDER BY l.finished DESC, l.job_id DESC, l.attempts DESC
         LIMIT $4) AS l
