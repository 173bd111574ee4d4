-- Jobs held as failed, the last one first, with what their last attempt said. $1 entrypoints or NULL, $2 limit, $3 the prefix.
-- Index: job_held_idx; job_log_job_id_idx for each.
SELECT row_to_json(f)
  FROM (SELECT h.id, substr(h.entrypoint, length($3) + 1) AS entrypoint, h.execute_after AS failed, l.error,
               coalesce(pgq.payload_text(substring(h.payload FOR 60)), pgq.payload_text(substring(h.payload FOR 59)),
                        pgq.payload_text(substring(h.payload FOR 58)), pgq.payload_text(substring(h.payload FOR 57)),
                        encode(substring(h.payload FOR 30), 'hex')) AS payload_start,
               h.attempts, h.priority, h.created, h.dedupe_key, h.ordering_key
          FROM (SELECT j.id, j.entrypoint, j.execute_after, j.payload, j.attempts, j.priority, j.created, j.dedupe_key,
                       j.ordering_key
                  FROM pgq.job AS j
                 WHERE j.held AND ($1::text[] IS NULL OR j.entrypoint = ANY ($1)) AND starts_with(j.entrypoint, $3)
                 ORDER BY j.execute_after DESC LIMIT $2) AS h
          LEFT JOIN LATERAL (SELECT l.error #>> '{}' AS error FROM pgq.job_log AS l
                              WHERE l.job_id = h.id AND l.created = h.created ORDER BY l.finished DESC LIMIT 1) AS l ON true
         ORDER BY h.execute_after DESC, h.id DESC) AS f
