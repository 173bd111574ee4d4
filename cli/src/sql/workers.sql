-- Workers, those with most claims first. $1 the prefix, which goes off the names of what they work on.
WITH held AS MATERIALIZED (
    SELECT j.worker, array_agg(DISTINCT substr(j.entrypoint, CASE WHEN starts_with(j.entrypoint, $1) THEN length($1) + 1 ELSE 1 END)) AS entrypoints
      FROM pgq.jobs AS j WHERE j.worker IS NOT NULL GROUP BY j.worker
)
SELECT row_to_json(w)
  FROM (SELECT w.worker, w.kind, w.claims, h.entrypoints, w.since, w.last_seen,
               extract(epoch FROM w.lease) AS lease_seconds,
               round(extract(epoch FROM w.last_seen + w.lease - clock_timestamp())::numeric, 1) AS left_seconds,
               w.pid, a.application_name AS application, host(a.client_addr) AS client
          FROM pgq.workers AS w
          LEFT JOIN held AS h ON h.worker = w.worker
          LEFT JOIN pg_stat_activity AS a ON a.pid = w.pid
         ORDER BY w.claims DESC, w.since, w.worker) AS w
