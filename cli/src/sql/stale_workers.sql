-- Named workers with claims whose lease is over or nearly so. $1 the part of a lease that is left of a healthy one.
SELECT row_to_json(w)
  FROM (SELECT w.worker, w.claims, w.last_seen, extract(epoch FROM w.lease) AS lease_seconds,
               round(extract(epoch FROM w.last_seen + w.lease - clock_timestamp())::numeric, 1) AS left_seconds
          FROM pgq.workers AS w
         WHERE w.claims > 0 AND w.last_seen + w.lease * (1 - $1::float8) < clock_timestamp()
         ORDER BY w.last_seen + w.lease, w.worker) AS w
