-- Those of some jobs that have not ended, as far as the caller may know of them: a producer knows of its own.
-- Called by: wait/for_jobs.rs. Parameters: ids. Index: primary key, one probe a job.
SELECT j.id FROM pgq.job AS j
 WHERE j.id = ANY ($1::bigint[]) AND NOT j.held
   AND (j.producer = pgq.caller() OR has_table_privilege(pgq.caller(), 'pgq.job_log', 'SELECT'))
