-- How often a job has been tried, as its newest row says.
-- Called by: see/claims.rs, for pgq.attempt_ended. Parameters: id. Index: primary key, one probe.
SELECT j.attempts FROM pgq.job AS j WHERE j.id = $1::bigint
