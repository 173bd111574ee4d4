-- Since when the job has been held as failed that has been for the longest time, of those since a time or later.
-- Called by: job/prune.rs. Parameters: the time. Index: job_held_idx, one entry.
SELECT j.execute_after FROM pgq.job AS j
 WHERE j.held AND j.execute_after >= $1::timestamptz ORDER BY j.execute_after LIMIT 1
