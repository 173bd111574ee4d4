SELECT job_id, entrypoint, priority, attempts, worker, outcome::text, error, created, picked, finished
  FROM pgq.job_log ORDER BY finished, job_id, attempts
