SELECT id, entrypoint, payload, headers, priority, status::text, attempts, worker, created, execute_after, picked, dedupe_key,
       ordering_key
  FROM pgq.jobs ORDER BY id
