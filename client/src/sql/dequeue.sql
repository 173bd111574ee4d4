SELECT id, entrypoint, payload, headers, priority, attempts, created, execute_after, picked, dedupe_key, ordering_key,
       pg_backend_pid()
  FROM pgq.dequeue($1, $2, $3, make_interval(secs => $4))
