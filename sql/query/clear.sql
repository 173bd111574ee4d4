-- Deletes all queued jobs of some entrypoints, or of all, and logs each. Returns how many of each entrypoint.
-- Called by: control/delete.rs. Parameters: now, entrypoints or NULL.
-- Locks: rows first, in the order of their ids; only then pgq.claimed looks whether somebody holds them.
WITH locked AS MATERIALIZED (
    SELECT j.id FROM pgq.job AS j
     WHERE ($2::text[] IS NULL OR j.entrypoint = ANY ($2::text[])) AND NOT j.held
     ORDER BY j.id FOR UPDATE
), chosen AS MATERIALIZED (
    SELECT l.id FROM locked AS l WHERE NOT pgq.claimed(l.id)
), ended AS (
    DELETE FROM pgq.job AS j USING chosen AS c WHERE j.id = c.id
    RETURNING j.id, j.entrypoint, j.priority, j.attempts, j.created, j.producer
), logged AS (
    INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, created, finished, producer, slot)
    SELECT e.id, e.entrypoint, e.priority, e.attempts, 'deleted', e.created, $1::timestamptz, e.producer,
           coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
      FROM ended AS e
    RETURNING entrypoint
)
SELECT l.entrypoint, count(*) FROM logged AS l GROUP BY l.entrypoint
