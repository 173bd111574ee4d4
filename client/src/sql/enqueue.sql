SELECT pgq.enqueue($1, payload_bytes => $2, priority => $3, execute_after => $4, delay => make_interval(secs => $5),
                   dedupe_key => $6, on_conflict => $7, headers => $8, ordering_key => $9)
