-- Strikes out the receipts of some jobs.
-- Called by: lease/receipt.rs. Parameters: ids. Index: primary key, one probe a job.
DELETE FROM pgq.receipt AS r WHERE r.job_id = ANY ($1::bigint[])
