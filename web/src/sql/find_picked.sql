-- Jobs that somebody holds, the newest first. $1 ids below this one, $2 entrypoint or NULL, $3 the prefix, $4 how many.
-- Index: job_pkey, one probe a claim.
SELECT j.id
  FROM pgq.jobs AS j
 WHERE j.worker IS NOT NULL AND j.id < $1 AND starts_with(j.entrypoint, $3)
   AND ($2::text IS NULL OR j.entrypoint = $2)
 ORDER BY j.id DESC LIMIT $4
