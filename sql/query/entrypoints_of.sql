-- The entrypoints of some jobs, each once.
-- Called by: job/release.rs, to wake their workers. Parameters: ids. Index: primary key, one probe a job.
SELECT DISTINCT j.entrypoint FROM pgq.job AS j WHERE j.id = ANY ($1::bigint[])
