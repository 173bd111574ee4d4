-- The first row of the highest priority up to a bound, and above another, that any row of an entrypoint has.
-- Called by: job/candidate.rs. Parameters: entrypoint, bound, the priority below (bigint: it can be lower than any).
-- Index: job_claim_idx, one probe in its whole order; rows behind the first are not walked.
SELECT j.priority, j.due, j.id FROM pgq.job AS j
 WHERE j.entrypoint = $1::text AND j.priority <= $2::int AND j.priority > $3::bigint
 ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1
