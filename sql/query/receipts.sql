-- The receipts that fit their jobs, with what a claim needs to know of the job.
-- Called by: lease/receipt.rs, by the first call of a new life of the server. Reads all receipts, which are few.
-- Index: primary key of pgq.job, one probe a receipt: OFFSET keeps the planner from beginning with the jobs.
SELECT r.job_id, r.attempt, r.created, r.worker, r.session, r.picked, r.lease,
       j.entrypoint, j.ordering_key, j.priority, j.due
  FROM pgq.receipt AS r
  CROSS JOIN LATERAL (SELECT j.attempts, j.created, j.held, j.entrypoint, j.ordering_key, j.priority, j.due
                        FROM pgq.job AS j WHERE j.id = r.job_id OFFSET 0) AS j
 WHERE j.attempts = r.attempt AND j.created = r.created AND NOT j.held
