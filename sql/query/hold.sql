-- Holds jobs as failed, since now, and logs it. Returns the ids of those that were still what the caller thought.
-- Called by: job/finish.rs. Parameters: now, ids, attempts, created, workers, picked, errors.
-- Index: primary key, one probe a job. Locks: rows, in the order of the arrays. The fence is that of finish.sql.
WITH ended AS (
    UPDATE pgq.job AS j
       SET held = true, due = 'infinity', execute_after = $1, attempts = j.attempts + 1, failures = j.failures + 1
      FROM unnest($2::bigint[], $3::int[], $4::timestamptz[], $5::uuid[], $6::timestamptz[], $7::jsonb[])
           AS e(id, attempts, created, worker, picked, error)
     WHERE j.id = e.id AND j.attempts = e.attempts AND j.created = e.created
    RETURNING j.id, j.entrypoint, j.priority, e.attempts, e.worker, e.error, j.created, e.picked, j.producer
)
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, worker, outcome, error, created, picked, finished, producer, slot)
SELECT e.id, e.entrypoint, e.priority, e.attempts, e.worker, 'failed', e.error, e.created, e.picked, $1, e.producer,
       coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
  FROM ended AS e
RETURNING job_id
