-- Everything known of a job. $1 its id, $2 the prefix, $3 how many bytes of the payload, $4 how many characters of an error.
-- No row where there is neither a job nor a line of the log.
WITH log AS MATERIALIZED (
    SELECT l.entrypoint, l.priority, l.attempts, l.worker, l.outcome, left(l.error #>> '{}', $4::int) AS error, l.created,
           l.picked, l.finished
      FROM pgq.job_log AS l WHERE l.job_id = $1 AND starts_with(l.entrypoint, $2) ORDER BY l.finished DESC LIMIT 20
), last AS MATERIALIZED (
    SELECT l.entrypoint, l.priority, l.attempts, l.outcome, l.created FROM log AS l ORDER BY l.finished DESC LIMIT 1
)
SELECT row_to_json(k)
  FROM (SELECT a.id, left(pgq.explain(a.id), $4::int) AS explanation,
               substr(coalesce(j.entrypoint, l.entrypoint), length($2) + 1) AS entrypoint,
               coalesce(j.status, l.outcome) AS status, coalesce(j.priority, l.priority) AS priority,
               coalesce(j.attempts, l.attempts) AS attempts, coalesce(j.created, l.created) AS created,
               nullif(j.execute_after, 'infinity') AS execute_after, j.picked, j.worker,
               left(j.dedupe_key, 300) AS dedupe_key, left(j.ordering_key, 300) AS ordering_key,
               left(j.headers::text, $4::int) AS headers,
               substring(j.payload FOR $3::int) AS payload_start, octet_length(j.payload) AS payload_bytes,
               (SELECT coalesce(json_agg(row_to_json(h) ORDER BY h.finished DESC), '[]')
                  FROM (SELECT h.finished, CASE WHEN h.picked IS NOT NULL THEN h.attempts + 1 END AS attempt, h.outcome, h.worker,
                               round(extract(epoch FROM h.finished - h.picked)::numeric, 3)::float8 AS run_seconds, h.error
                          FROM log AS h) AS h) AS ends
          FROM (SELECT $1::bigint AS id) AS a
          LEFT JOIN pgq.jobs AS j ON j.id = a.id AND starts_with(j.entrypoint, $2)
          LEFT JOIN last AS l ON true
         WHERE j.id IS NOT NULL OR l.entrypoint IS NOT NULL) AS k
