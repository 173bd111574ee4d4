-- Live jobs of an entrypoint in the order in which they are handed out, held ones last of their priority. $1 entrypoint;
-- after this one: $2 priority, $3 due, $4 id; $5 whether only queued ones, $6 how many, $7 how many are looked at.
-- Index: job_claim_idx, from the given place on: the rest of its priority, then the lower ones.
SELECT l.id, l.priority, l.due::text
  FROM ((SELECT k.id, k.priority, k.due, k.held FROM pgq.job AS k
          WHERE k.entrypoint = $1 AND k.priority = $2::bigint AND (k.due, k.id) > ($3::text::timestamptz, $4::bigint)
          ORDER BY k.due, k.id LIMIT $7)
        UNION ALL
        (SELECT k.id, k.priority, k.due, k.held FROM pgq.job AS k
          WHERE k.entrypoint = $1 AND k.priority < $2::bigint
          ORDER BY k.priority DESC, k.due, k.id LIMIT $7)) AS l
 WHERE NOT $5 OR NOT l.held AND l.id NOT IN (SELECT c.id FROM pgq.claims() AS c)
 ORDER BY l.priority DESC, l.due, l.id LIMIT $6
