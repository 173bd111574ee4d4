-- The last of so many failed jobs, or none where there are fewer. Before this one: $1 when it failed, $2 id; $3 how many.
SELECT k.id, k.execute_after::text
  FROM pgq.job AS k
 WHERE k.held AND (k.execute_after, k.id) < ($1::text::timestamptz, $2::bigint)
 ORDER BY k.execute_after DESC, k.id DESC OFFSET $3::bigint - 1 LIMIT 1
