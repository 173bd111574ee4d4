-- Live jobs, the newest first. $1 limit, $2 offset, $3 the prefix, $4 how many bytes of a payload.
-- Index: job_pkey, backwards; of an application, no more than twenty thousand jobs are looked at.
SELECT row_to_json(x)
  FROM (SELECT j.id, substr(j.entrypoint, length($3) + 1) AS entrypoint, j.status, j.priority, j.attempts, j.created,
               nullif(j.execute_after, 'infinity') AS execute_after, j.picked, j.worker, left(j.dedupe_key, 300) AS dedupe_key,
               left(j.ordering_key, 300) AS ordering_key, substring(j.payload FOR $4::int) AS payload_start,
               octet_length(j.payload) AS payload_bytes
          FROM (SELECT l.id
                  FROM (SELECT k.id, k.entrypoint FROM pgq.job AS k ORDER BY k.id DESC LIMIT 20000) AS l
                 WHERE starts_with(l.entrypoint, $3)
                 ORDER BY l.id DESC LIMIT $1 OFFSET $2) AS n
          JOIN pgq.jobs AS j ON j.id = n.id
         ORDER BY j.id DESC) AS x
