-- Counts the attempt of lost claims and logs it as released. The jobs are due as they were.
-- Called by: job/lost.rs, which has locked the rows. Parameters: now, ids, attempts, created, workers, picked.
-- Index: primary key, one probe a job.
WITH ended AS (
    UPDATE pgq.job AS j
       SET attempts = j.attempts + 1, releases = j.releases + 1
      FROM unnest($2::bigint[], $3::int[], $4::timestamptz[], $5::uuid[], $6::timestamptz[])
           AS e(id, attempts, created, worker, picked)
     WHERE j.id = e.id AND j.attempts = e.attempts AND j.created = e.created
    RETURNING j.id, j.entrypoint, j.priority, e.attempts, e.worker, j.created, e.picked, j.producer
)
INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, worker, outcome, created, picked, finished, producer, slot)
SELECT e.id, e.entrypoint, e.priority, e.attempts, e.worker, 'released', e.created, e.picked, $1::timestamptz, e.producer,
       coalesce((SELECT r.current FROM pgq.log_ring AS r), 0)
  FROM ended AS e
RETURNING job_id
