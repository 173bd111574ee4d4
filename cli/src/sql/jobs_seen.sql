-- As jobs.sql, for a role that may read the view only: reads all that it chooses from.
SELECT row_to_json(j)
  FROM (SELECT j.id, substr(j.entrypoint, length($4) + 1) AS entrypoint, j.status,
               coalesce(pgq.payload_text(substring(j.payload FOR 60)), pgq.payload_text(substring(j.payload FOR 59)),
                        pgq.payload_text(substring(j.payload FOR 58)), pgq.payload_text(substring(j.payload FOR 57)),
                        encode(substring(j.payload FOR 30), 'hex')) AS payload_start,
               j.execute_after, j.priority, j.attempts, j.picked, j.worker, j.dedupe_key, j.ordering_key, j.created,
               octet_length(j.payload) AS bytes
          FROM pgq.jobs AS j
         WHERE ($1::text[] IS NULL OR j.entrypoint = ANY ($1))
           AND ($2::text[] IS NULL OR j.status::text = ANY ($2))
           AND starts_with(j.entrypoint, $4)
         ORDER BY j.priority DESC, j.status = 'failed', greatest(j.created, j.execute_after), j.id
         LIMIT $3) AS j
