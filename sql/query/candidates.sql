-- The next jobs of one entrypoint and priority that are due, in the order in which they are handed out, after a place.
-- Called by: job/candidate.rs, which leaves out those that wait behind their ordering key. Parameters: entrypoint,
-- priority, due and id of the place, now, how many.
-- Index: job_claim_idx, walked from the place; "due <= now" ends the walk before deferred and held jobs.
SELECT j.id, j.due, j.created, j.attempts, j.ordering_key FROM pgq.job AS j
 WHERE j.entrypoint = $1::text AND j.priority = $2::int AND (j.due, j.id) > ($3::timestamptz, $4::bigint) AND j.due <= $5::timestamptz
 ORDER BY j.due, j.id LIMIT $6::bigint
