-- Everything known of a job. $1 its id, $2 the prefix.
-- No row where there is neither a job nor a line of the log. A live job and lines of another that had its id (after a restore,
-- say) are told apart by when they were enqueued.
WITH log AS MATERIALIZED (
    SELECT l.entrypoint, l.priority, l.attempts, l.worker, l.outcome, l.error, l.created, l.picked, l.finished
      FROM pgq.job_log AS l
     WHERE l.job_id = $1
       AND l.created = coalesce((SELECT j.created FROM pgq.jobs AS j WHERE j.id = $1),
                                (SELECT m.created FROM pgq.job_log AS m WHERE m.job_id = $1 ORDER BY m.finished DESC LIMIT 1))
), last AS MATERIALIZED (
    SELECT l.entrypoint, l.priority, l.attempts, l.outcome, l.error, l.created, l.finished FROM log AS l
     ORDER BY l.finished DESC LIMIT 1
)
SELECT row_to_json(k)
  FROM (SELECT a.id, substr(n.entrypoint, CASE WHEN starts_with(n.entrypoint, $2) THEN length($2) + 1 ELSE 1 END) AS entrypoint,
               coalesce(j.status, l.outcome) AS status, coalesce(j.priority, l.priority) AS priority,
               coalesce(j.attempts, l.attempts) AS attempts, coalesce(j.created, l.created) AS created,
               j.execute_after, j.picked, j.worker,
               CASE WHEN j.id IS NULL OR j.status = 'failed' THEN l.finished END AS finished,
               j.dedupe_key, j.ordering_key, j.headers,
               CASE WHEN j.payload IS NULL THEN NULL
                    WHEN pgq.payload_json(j.payload) IS NOT NULL THEN 'json'
                    WHEN pgq.payload_text(j.payload) IS NOT NULL THEN 'text' ELSE 'bytes' END AS payload_kind,
               octet_length(j.payload) AS payload_bytes,
               coalesce(pgq.payload_text(j.payload), encode(j.payload, 'hex')) AS payload,
               l.error, pgq.explain(a.id) AS explain,
               (SELECT coalesce(json_agg(row_to_json(h) ORDER BY h.finished), '[]')
                  FROM (SELECT h.finished, CASE WHEN h.picked IS NOT NULL THEN h.attempts + 1 END AS attempt, h.outcome, h.picked,
                               round(extract(epoch FROM h.finished - h.picked)::numeric, 3) AS run_seconds, h.worker,
                               h.error #>> '{}' AS error
                          FROM log AS h ORDER BY h.finished DESC LIMIT 1000) AS h) AS log
          FROM (SELECT $1::bigint AS id) AS a
          LEFT JOIN pgq.jobs AS j ON j.id = a.id
          LEFT JOIN last AS l ON true
         CROSS JOIN LATERAL (SELECT coalesce(j.entrypoint, l.entrypoint) AS entrypoint) AS n
         WHERE j.id IS NOT NULL OR l.finished IS NOT NULL) AS k
