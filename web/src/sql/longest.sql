-- Jobs that have been held for the longest time. $1 the prefix, $2 how many.
-- Index: job_pkey, one probe a claim.
SELECT row_to_json(x)
  FROM (SELECT c.id, substr(k.entrypoint, length($1) + 1) AS entrypoint, c.worker, c.picked, k.attempts
          FROM pgq.claims() AS c JOIN pgq.job AS k ON k.id = c.id AND starts_with(k.entrypoint, $1)
         ORDER BY c.picked, c.id LIMIT $2) AS x
