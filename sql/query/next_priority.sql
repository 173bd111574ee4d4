-- The highest priority below a bound that any row of an entrypoint has.
-- Called by: job/candidate.rs. Parameters: entrypoint, bound (bigint: one more than the highest int begins).
-- Index: job_claim_idx, one probe; rows of the priority are not walked.
SELECT j.priority FROM pgq.job AS j
 WHERE j.entrypoint = $1::text AND j.priority <= $2::int
 ORDER BY j.entrypoint, j.priority DESC LIMIT 1
