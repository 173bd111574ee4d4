-- Live jobs, the next one first. $1 entrypoints or NULL, $2 statuses or NULL, $3 limit, $4 the prefix.
-- A payload is shown by its beginning: text where it is UTF-8, else hexadecimal.
SELECT row_to_json(j)
  FROM (SELECT j.id, substr(j.entrypoint, length($4) + 1) AS entrypoint, j.status, j.priority, j.attempts,
               j.created, j.execute_after, j.picked, j.worker, j.dedupe_key, j.ordering_key,
               octet_length(j.payload) AS bytes,
               coalesce(pgq.payload_text(substring(j.payload FOR 60)), encode(substring(j.payload FOR 30), 'hex')) AS payload
          FROM pgq.jobs AS j
         WHERE ($1::text[] IS NULL OR j.entrypoint = ANY ($1))
           AND ($2::text[] IS NULL OR j.status::text = ANY ($2))
           AND starts_with(j.entrypoint, $4)
         ORDER BY j.priority DESC, greatest(j.created, j.execute_after), j.id
         LIMIT $3) AS j
