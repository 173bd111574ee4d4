-- Locks the rows of lost claims, as far as nobody else has and they are still what was claimed, and returns what decides
-- about them.
-- Called by: job/lost.rs. Parameters: ids, attempts, created. Index: primary key, one probe a job. Locks: rows, without waiting.
SELECT j.id, j.releases, e.max_releases, e.on_failure
  FROM unnest($1::bigint[], $2::int[], $3::timestamptz[]) AS l(id, attempts, created)
  JOIN pgq.job AS j ON j.id = l.id AND j.attempts = l.attempts AND j.created = l.created
  LEFT JOIN pgq.entrypoints AS e ON e.entrypoint = j.entrypoint
 ORDER BY j.id FOR UPDATE OF j SKIP LOCKED
