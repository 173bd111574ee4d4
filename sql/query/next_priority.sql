-- The first row of the highest priority up to a bound that any row of an entrypoint has.
-- Called by: job/candidate.rs. Parameters: entrypoint, bound.
-- Index: job_claim_idx, one probe in its whole order; rows behind the first are not walked.
SELECT j.priority, j.due, j.id FROM pgq.job AS j
 WHERE j.entrypoint = $1::text AND j.priority <= $2::int
 ORDER BY j.entrypoint, j.priority DESC, j.due, j.id LIMIT 1
