-- A word as a value of pgq.job_status.
-- Called by: job/fail.rs and job/insert.rs. Parameters: the word.
SELECT $1::text::pgq.job_status
