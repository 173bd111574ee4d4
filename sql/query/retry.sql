-- Queues a job again after a delay and logs the attempt as retried. Returns its id, its entrypoint and when it is due if it was still what the caller thought.
-- Called by: job/fail.rs. Parameters: now, id, attempts, created, worker, picked, error, delay, failures to add (0 or 1).
-- Index: primary key. Locks: the row. The fence is that of finish.sql.
WITH ended AS (
    UPDATE pgq.job AS j
       SET attempts = j.attempts + 1, failures = j.failures + $9::int,
           execute_after = $1 + $8::interval, due = greatest(j.created, $1 + $8::interval)
     WHERE j.id = $2::bigint AND j.attempts = $3::int AND j.created = $4::timestamptz
    RETURNING j.id, j.entrypoint, j.priority, j.created, j.producer, j.due
)
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, worker, outcome, error, created, picked, finished, producer, slot)
SELECT e.id, e.entrypoint, e.priority, $3, $5::uuid, 'retried', $7::jsonb, e.created, $6::timestamptz, $1::timestamptz, e.producer,
       coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
  FROM ended AS e
RETURNING job_id, entrypoint, (SELECT e.due FROM ended AS e)
