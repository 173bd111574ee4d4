-- Inserts jobs that another queue has begun with: those whose dedupe key is free, the first of two with one key, and all that are
-- held. Logs the failure of those. Returns id, entrypoint, due and whether it is held.
-- Called by: job/import.rs.
-- Parameters: 1 to 11 as enqueue_many.sql, created, attempts, failed, errors (each NULL for the default everywhere).
-- Indexes: all of pgq.job, and that of the log. Locks: waits for other transactions that insert the same keys, in key order.
WITH given AS MATERIALIZED (
    SELECT j.id, coalesce($11, j.entrypoint) AS entrypoint, j.payload, coalesce(j.priority, 0) AS priority, j.execute_after,
           j.dedupe_key, j.headers, j.ordering_key, coalesce(j.created, $1) AS created, j.failed, j.error,
           coalesce(j.attempts, CASE WHEN j.failed IS NULL THEN 0 ELSE 1 END) AS attempts
      FROM unnest($2::bigint[], $3::text[], $4::bytea[], $5::int[], $6::timestamptz[], $7::text[], $8::jsonb[], $9::text[],
                  $12::timestamptz[], $13::int[], $14::timestamptz[], $15::jsonb[])
           AS j(id, entrypoint, payload, priority, execute_after, dedupe_key, headers, ordering_key, created, attempts, failed, error)
), logged AS (
    INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, error, created, finished, producer, slot)
    SELECT g.id, g.entrypoint, g.priority, greatest(g.attempts - 1, 0), 'failed', g.error, g.created, g.failed, $10,
           coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
      FROM given AS g WHERE g.failed IS NOT NULL
)
INSERT INTO pgq.job (id, created, due, execute_after, priority, attempts, failures, held, entrypoint, producer, dedupe_key,
                     ordering_key, payload, headers)
SELECT g.id, g.created, CASE WHEN g.failed IS NULL THEN greatest(g.created, g.execute_after) ELSE 'infinity' END,
       coalesce(g.failed, g.execute_after), g.priority, g.attempts, g.attempts, g.failed IS NOT NULL, g.entrypoint, $10,
       g.dedupe_key, g.ordering_key, g.payload, g.headers
  FROM given AS g
 ORDER BY g.dedupe_key COLLATE "C", g.id
    ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL AND NOT held DO NOTHING
RETURNING id, entrypoint, due, held
