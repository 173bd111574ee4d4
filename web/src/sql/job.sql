-- A live job. $1 id, $2 the prefix.
SELECT row_to_json(x)
  FROM (SELECT j.id, substr(j.entrypoint, length($2) + 1) AS entrypoint, j.status, j.priority, j.attempts, j.created,
               j.execute_after, j.execute_after > now() AS deferred, j.picked, j.worker, j.dedupe_key, j.ordering_key,
               j.headers::text AS headers, coalesce(octet_length(j.payload), 0) AS bytes, j.payload IS NULL AS bare
          FROM pgq.jobs AS j WHERE j.id = $1 AND starts_with(j.entrypoint, $2)) AS x
