-- Removes jobs for good and logs how each ended. Returns the ids of those that were still what the caller thought.
-- Called by: job/finish.rs and control/cancel.rs. Parameters: now, ids, attempts, created, workers, picked, outcomes, errors.
-- Index: primary key, one probe a job. Locks: rows, in the order of the arrays, which the caller sorts by id.
-- The fence: attempts and created must be those that were claimed.
WITH ended AS (
    DELETE FROM pgq.job AS j
     USING unnest($2::bigint[], $3::int[], $4::timestamptz[], $5::uuid[], $6::timestamptz[], $7::text[], $8::jsonb[])
           AS e(id, attempts, created, worker, picked, outcome, error)
     WHERE j.id = e.id AND j.attempts = e.attempts AND j.created = e.created
    RETURNING j.id, j.entrypoint, j.priority, j.attempts, e.worker, e.outcome, e.error, j.created, e.picked, j.producer
)
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, worker, outcome, error, created, picked, finished, producer, slot)
SELECT e.id, e.entrypoint, e.priority, e.attempts, e.worker, e.outcome::pgq.job_status, e.error, e.created, e.picked, $1, e.producer,
       coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
  FROM ended AS e
RETURNING job_id
