-- The next jobs of one entrypoint and priority that are due, in the order in which they are handed out, after a place.
-- Called by: job/candidate.rs. Parameters: entrypoint, priority, due and id of the place, now, how many.
-- Index: job_claim_idx, walked from the place; "due <= now" ends the walk before deferred and held jobs. The first job
-- of an ordering key is one probe of job_ordering_key_idx, for jobs that have a key: the job itself is in the range that
-- is asked for, so what comes first in it is the lowest id of exactly its key. Asked for with "=", the planner could take
-- the primary key for the order and read the whole table.
SELECT j.id, j.due, j.created, j.attempts, j.ordering_key FROM pgq.job AS j
 WHERE j.entrypoint = $1::text AND j.priority = $2::int AND (j.due, j.id) > ($3::timestamptz, $4::bigint) AND j.due <= $5::timestamptz
   AND (j.ordering_key IS NULL
        OR j.id = (SELECT k.id FROM pgq.job AS k
                    WHERE (k.entrypoint, k.ordering_key) >= (j.entrypoint, j.ordering_key)
                      AND k.ordering_key IS NOT NULL AND NOT k.held
                    ORDER BY k.entrypoint, k.ordering_key, k.id LIMIT 1))
 ORDER BY j.due, j.id LIMIT $6::bigint
