-- The next jobs of the old queue, up to a thousand and about four megabytes, by their ids, in one row of arrays.
-- $1 the id above which to begin, $2 what goes before entrypoints, $3 since when a heartbeat means a worker that lives,
-- $4 whether to read what only the move needs: payloads, and what the log says of failed jobs.
-- The first six are about all of them; the others are the arguments of pgq.import_jobs for those that can be moved.
-- "missing" stands in for columns that older versions do not have: a name is looked for in the table first, and then there.
-- Index: the primary key of the queue; of the log that on job_id, for failed jobs.
WITH page AS (
    SELECT o.*, coalesce(o.heartbeat, o.updated, o.created) >= clock_timestamp() - $3::text::interval AS is_recent
      FROM (SELECT NULL::timestamptz AS execute_after, NULL::timestamptz AS heartbeat, NULL::timestamptz AS updated,
                   NULL::text AS dedupe_key, NULL::jsonb AS headers, 0 AS attempts) AS missing
     CROSS JOIN LATERAL (
           SELECT id::bigint AS id, priority::int AS priority, created, status::text AS status, entrypoint, payload,
                  execute_after, heartbeat, updated, dedupe_key, headers, attempts::int AS attempts,
                  sum(coalesce(octet_length(payload), 0)) OVER (ORDER BY id) - coalesce(octet_length(payload), 0) AS before
             FROM (SELECT * FROM {queue} AS q WHERE q.id > $1 ORDER BY q.id LIMIT 1000) AS q) AS o
     WHERE o.before < 4000000
), job AS (
    SELECT p.id, $2 || p.entrypoint AS entrypoint, p.priority, p.created, p.dedupe_key, p.is_recent,
           CASE WHEN $4 THEN p.payload END AS payload,
           CASE WHEN p.execute_after > p.created THEN p.execute_after END AS execute_after,
           CASE WHEN jsonb_typeof(p.headers) <> 'null' THEN p.headers END AS headers,
           CASE WHEN p.status = 'failed' THEN p.attempts + 1 ELSE p.attempts END AS attempts,
           CASE WHEN p.status = 'failed' THEN coalesce(l.created, p.updated, p.created) END AS failed, l.traceback AS error,
           CASE WHEN p.status = 'queued' AND p.execute_after > clock_timestamp() THEN 'deferred' ELSE p.status END AS was,
           CASE WHEN p.status NOT IN ('queued', 'picked', 'failed') THEN 'its status is none of queued, picked and failed'
                WHEN octet_length($2 || p.entrypoint) NOT BETWEEN 1 AND 255 THEN 'its entrypoint has not 1 to 255 bytes'
                WHEN octet_length(p.dedupe_key) > 2000 THEN 'its dedupe key has more than 2000 bytes'
                WHEN NOT isfinite(p.created) THEN 'the time at which it was created is infinite'
                WHEN jsonb_typeof(p.headers) NOT IN ('object', 'null') THEN 'its headers are no JSON object' END AS trouble
      FROM page AS p
      LEFT JOIN LATERAL (
           SELECT e.created, e.traceback
             FROM (SELECT NULL::jsonb AS traceback) AS missing
            CROSS JOIN LATERAL (SELECT created, traceback FROM {log} AS g
                                 WHERE $4 AND p.status = 'failed' AND g.job_id = p.id AND g.status::text = 'failed' ORDER BY g.created DESC, g.id DESC LIMIT 1) AS e
           ) AS l ON true
)
SELECT array_agg(j.id) AS all_ids, array_agg(j.entrypoint) AS all_entrypoints,
       array_agg(j.was) AS all_was, array_agg(j.trouble) AS all_troubles,
       count(*) FILTER (WHERE j.was = 'picked' AND j.is_recent) AS alive,
       array_agg(CASE WHEN j.was <> 'failed' THEN j.dedupe_key END) AS all_keys,
       array_agg(j.entrypoint) FILTER (WHERE j.trouble IS NULL) AS entrypoints,
       array_agg(j.payload) FILTER (WHERE j.trouble IS NULL) AS payloads,
       array_agg(j.priority) FILTER (WHERE j.trouble IS NULL) AS priorities,
       array_agg(j.execute_after) FILTER (WHERE j.trouble IS NULL) AS execute_after,
       array_agg(j.dedupe_key) FILTER (WHERE j.trouble IS NULL) AS dedupe_keys,
       array_agg(j.headers) FILTER (WHERE j.trouble IS NULL) AS headers,
       array_agg(j.created) FILTER (WHERE j.trouble IS NULL) AS created,
       array_agg(j.attempts) FILTER (WHERE j.trouble IS NULL) AS attempts,
       array_agg(j.failed) FILTER (WHERE j.trouble IS NULL) AS failed,
       array_agg(j.error) FILTER (WHERE j.trouble IS NULL) AS errors
  FROM (SELECT * FROM job AS j ORDER BY j.id) AS j
