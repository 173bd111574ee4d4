-- All receipts.
-- Called by: lease/receipt.rs, to find those whose claims are gone. Reads the whole table, which is small.
SELECT r.job_id, r.attempt, r.worker FROM pgq.receipt AS r
