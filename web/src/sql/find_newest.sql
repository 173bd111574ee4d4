-- Live jobs, the newest first, of at most so many looked at. $1 ids below this one, $2 the prefix, $3 whether only
-- queued ones, $4 how many, $5 how many are looked at.
-- Index: job_pkey, backwards from $1 and no further than $5.
SELECT l.id
  FROM (SELECT k.id, k.entrypoint, k.held FROM pgq.job AS k WHERE k.id < $1 ORDER BY k.id DESC LIMIT $5) AS l
 WHERE starts_with(l.entrypoint, $2)
   AND (NOT $3 OR NOT l.held AND l.id NOT IN (SELECT c.id FROM pgq.claims() AS c))
 ORDER BY l.id DESC LIMIT $4
