-- Failed jobs, the last one first, of at most so many looked at. Before this one: $1 when it failed, $2 id; $3 entrypoint
-- or NULL, $4 the prefix, $5 how many, $6 how many are looked at.
-- Index: job_held_idx, backwards.
SELECT l.id, l.execute_after::text
  FROM (SELECT k.id, k.execute_after, k.entrypoint FROM pgq.job AS k
         WHERE k.held AND (k.execute_after, k.id) < ($1::text::timestamptz, $2::bigint)
         ORDER BY k.execute_after DESC, k.id DESC LIMIT $6) AS l
 WHERE starts_with(l.entrypoint, $4) AND ($3::text IS NULL OR l.entrypoint = $3)
 ORDER BY l.execute_after DESC, l.id DESC LIMIT $5
