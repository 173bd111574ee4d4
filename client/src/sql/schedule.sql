SELECT pgq.schedule($1, $2, $3, timezone => $4, priority => $5, headers => $6, catch_up => $7, overlap => $8,
                    ordering_key => $9, payload_bytes => $10)
