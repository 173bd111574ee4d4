-- Settings of an entrypoint, times in seconds. $1 its name. No row where it has the defaults.
SELECT row_to_json(x)
  FROM (SELECT e.concurrency_limit, e.max_attempts, extract(epoch FROM e.backoff_initial)::float8 AS backoff_initial,
               extract(epoch FROM e.backoff_max)::float8 AS backoff_max, e.backoff_multiplier, e.on_failure, e.max_releases,
               e.rate_limit, extract(epoch FROM e.rate_period)::float8 AS rate_period
          FROM pgq.entrypoints AS e WHERE e.entrypoint = $1) AS x
