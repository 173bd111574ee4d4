-- Workers, those with most claims first. $1 the prefix of what they work on: with one, only those that hold such jobs.
-- $2 how many. Index: job_pkey, one probe a claim.
SELECT row_to_json(x)
  FROM (SELECT w.worker, w.kind, coalesce(h.jobs, 0) AS jobs, coalesce(h.entrypoints, '{}') AS entrypoints, h.oldest AS holds_since,
               w.since, w.last_seen, extract(epoch FROM w.lease)::float8 AS lease_seconds,
               left(nullif(a.application_name, ''), 100) AS application
          FROM pgq.workers AS w
          LEFT JOIN (SELECT c.worker, count(*) AS jobs, min(c.picked) AS oldest,
                            array_agg(DISTINCT substr(k.entrypoint, length($1) + 1)) AS entrypoints
                       FROM pgq.claims() AS c JOIN pgq.job AS k ON k.id = c.id AND starts_with(k.entrypoint, $1)
                      GROUP BY c.worker) AS h ON h.worker = w.worker
          LEFT JOIN pg_stat_activity AS a ON a.pid = w.pid
         WHERE $1 = '' OR h.worker IS NOT NULL
         ORDER BY jobs DESC, w.last_seen DESC, w.worker LIMIT $2) AS x
