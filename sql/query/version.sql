-- The newest version of a job's row.
-- Called by: see/claims.rs, for pgq.job_moved. Parameters: id. Index: primary key, one probe.
SELECT j.ctid FROM pgq.job AS j WHERE j.id = $1::bigint
