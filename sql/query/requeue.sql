-- Queues held jobs again, due now, as if never tried. Returns the ids of those it queued, with their entrypoints and when they are due.
-- Called by: control/requeue.rs, which has locked the rows. Parameters: now, ids.
-- Left out: jobs that are not held; jobs whose dedupe key lives again, and of two with one key the later.
-- OFFSET 0: before 14 the planner adds a second plan for EXISTS, which reads all jobs.
UPDATE pgq.job AS j
   SET held = false, attempts = 0, failures = 0, releases = 0, execute_after = NULL, due = greatest(j.created, $1::timestamptz)
  FROM (SELECT h.id, row_number() OVER (PARTITION BY h.dedupe_key ORDER BY h.id) AS place
          FROM pgq.job AS h WHERE h.id = ANY ($2::bigint[]) AND h.held) AS h
 WHERE j.id = h.id AND j.held
   AND (j.dedupe_key IS NULL
        OR h.place = 1 AND NOT EXISTS (SELECT FROM pgq.job AS k WHERE k.dedupe_key = j.dedupe_key AND NOT k.held OFFSET 0))
RETURNING j.id, j.entrypoint, j.due
