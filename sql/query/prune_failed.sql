-- Removes jobs that have been held as failed since between two times, the oldest first, and logs each as deleted, with the
-- reason: that it failed was logged when it did. Returns their ids and entrypoints. Passes over rows that somebody has locked.
-- Called by: job/prune.rs. Parameters: now, the times, how many, the reason.
-- Index: job_held_idx, walked from the first time: entries of those removed before are not met again.
-- Locks: rows, without waiting.
WITH old AS MATERIALIZED (
    SELECT j.id FROM pgq.job AS j
     WHERE j.held AND j.execute_after >= $2::timestamptz AND j.execute_after <= $3::timestamptz
     ORDER BY j.execute_after LIMIT $4::bigint FOR UPDATE SKIP LOCKED
), ended AS (
    DELETE FROM pgq.job AS j USING old AS o WHERE j.id = o.id
    RETURNING j.id, j.entrypoint, j.priority, j.attempts, j.created, j.producer
)
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, error, created, finished, producer, slot)
SELECT e.id, e.entrypoint, e.priority, e.attempts, 'deleted', to_jsonb($5::text), e.created, $1::timestamptz, e.producer,
       coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
  FROM ended AS e
RETURNING job_id, entrypoint
