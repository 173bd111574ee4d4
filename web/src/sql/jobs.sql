-- Jobs to be listed, in the order of their ids in $1. $2 the prefix, which is left out of names. A payload is shown by its
-- beginning: text where it is UTF-8, else hexadecimal; NULL where nothing is to be read in so little of it.
SELECT row_to_json(x)
  FROM (SELECT j.id, substr(j.entrypoint, length($2) + 1) AS entrypoint, j.status, j.priority, j.attempts, j.created,
               j.execute_after, j.picked, j.execute_after > now() AS deferred, coalesce(octet_length(j.payload), 0) AS bytes,
               coalesce(pgq.payload_text(substring(j.payload FOR 100)), pgq.payload_text(substring(j.payload FOR 99)),
                        pgq.payload_text(substring(j.payload FOR 98)), pgq.payload_text(substring(j.payload FOR 97)),
                        encode(substring(j.payload FOR 40), 'hex')) AS beginning,
               l.error, l.finished
          FROM unnest($1::bigint[]) WITH ORDINALITY AS a(id, place)
          JOIN pgq.jobs AS j ON j.id = a.id
          LEFT JOIN LATERAL (SELECT left(l.error #>> '{}', 300) AS error, l.finished FROM pgq.job_log AS l
                              WHERE l.job_id = j.id AND j.status = 'failed' ORDER BY l.finished DESC LIMIT 1) AS l ON true
         ORDER BY a.place) AS x
