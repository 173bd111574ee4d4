-- What decides about a job whose attempt failed.
-- Called by: job/fail.rs. Parameters: id.
SELECT j.failures, e.max_attempts, e.backoff_initial, e.backoff_max, e.backoff_multiplier, e.on_failure
  FROM pgq.job AS j LEFT JOIN pgq.entrypoints AS e ON e.entrypoint = j.entrypoint WHERE j.id = $1::bigint
