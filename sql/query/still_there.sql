-- Those jobs that are still what was claimed.
-- Called by: job/lost.rs, for rows that it could not lock. Parameters: ids, attempts, created. Index: primary key, one probe a job.
SELECT j.id FROM unnest($1::bigint[], $2::int[], $3::timestamptz[]) AS l(id, attempts, created)
  JOIN pgq.job AS j ON j.id = l.id AND j.attempts = l.attempts AND j.created = l.created
