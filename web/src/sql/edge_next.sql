-- The last of so many jobs in the order in which they are handed out, or none where there are fewer. Parameters as of
-- find_next.sql: $1 entrypoint, $2 priority, $3 due, $4 id; $5 how many.
SELECT l.id, l.priority, l.due::text
  FROM ((SELECT k.id, k.priority, k.due FROM pgq.job AS k
          WHERE k.entrypoint = $1 AND k.priority = $2::bigint AND (k.due, k.id) > ($3::text::timestamptz, $4::bigint)
          ORDER BY k.due, k.id LIMIT $5)
        UNION ALL
        (SELECT k.id, k.priority, k.due FROM pgq.job AS k
          WHERE k.entrypoint = $1 AND k.priority < $2::bigint
          ORDER BY k.priority DESC, k.due, k.id LIMIT $5)) AS l
 ORDER BY l.priority DESC, l.due, l.id OFFSET $5::bigint - 1 LIMIT 1
