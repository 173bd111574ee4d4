-- Changes earliest start and, if given, priority. Returns the ids, with their entrypoints and when they are due.
-- Called by: control/requeue.rs, with ids of queued jobs whose rows it has locked. Parameters: ids, execute_after, priority.
UPDATE pgq.job AS j
   SET execute_after = $2::timestamptz, due = greatest(j.created, $2::timestamptz), priority = coalesce($3::int, j.priority)
 WHERE j.id = ANY ($1::bigint[]) AND NOT j.held
RETURNING j.id, j.entrypoint, j.due
