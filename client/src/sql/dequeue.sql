SELECT id, entrypoint, payload, headers, priority, attempts, created, execute_after, picked, dedupe_key, ordering_key
  FROM pgq.dequeue($1, $2, $3, make_interval(secs => $4))
