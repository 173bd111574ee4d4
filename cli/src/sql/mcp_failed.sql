-- Jobs held as failed, the last one first, with what their last attempt said. $1 limit, $2 the prefix, $3 how many bytes of a
-- payload, $4 how many characters of an error.
-- Index: job_held_idx; job_log_job_id_idx for each.
SELECT row_to_json(f)
  FROM (SELECT h.id, substr(h.entrypoint, length($2) + 1) AS entrypoint, h.execute_after AS failed, l.error,
               h.attempts, h.priority, h.created, substring(h.payload FOR $3::int) AS payload_start,
               octet_length(h.payload) AS payload_bytes
          FROM (SELECT j.id, j.entrypoint, j.execute_after, j.payload, j.attempts, j.priority, j.created
                  FROM pgq.job AS j
                 WHERE j.held AND starts_with(j.entrypoint, $2)
                 ORDER BY j.execute_after DESC LIMIT $1) AS h
          LEFT JOIN LATERAL (SELECT left(l.error #>> '{}', $4::int) AS error FROM pgq.job_log AS l
                              WHERE l.job_id = h.id AND l.created = h.created ORDER BY l.finished DESC LIMIT 1) AS l ON true
         ORDER BY h.execute_after DESC, h.id DESC) AS f
