-- Looks again at jobs that have just been claimed: everything that decided for them, and the row to hand out.
-- Called by: job/dequeue.rs and job/ready.rs, after the claims are published and with a snapshot taken after that. Parameters: ids, now.
-- Indexes: primary keys, one probe a job; job_ordering_key_idx for jobs with a key, as in candidates.sql. xmax says who has locked
-- the row or tried to change it: see job/touched.rs.
SELECT j.id, j.entrypoint, j.payload, j.headers, j.priority, j.attempts, j.created,
       coalesce(j.execute_after, j.created) AS execute_after, j.dedupe_key, j.ordering_key,
       j.due <= $2::timestamptz AND NOT j.held
       AND (j.ordering_key IS NULL
            OR j.id = (SELECT k.id FROM pgq.job AS k
                        WHERE (k.entrypoint, k.ordering_key) >= (j.entrypoint, j.ordering_key)
                          AND k.ordering_key IS NOT NULL AND NOT k.held
                        ORDER BY k.entrypoint, k.ordering_key, k.id LIMIT 1)) AS claimable,
       j.xmax,
       'picked'::pgq.job_status AS status,
       e.concurrency_limit, e.rate_limit, e.rate_period, e.paused, j.due
  FROM pgq.job AS j LEFT JOIN pgq.entrypoints AS e ON e.entrypoint = j.entrypoint
 WHERE j.id = ANY ($1::bigint[])
