-- Settings of entrypoints. $1 entrypoints or NULL, $2 the prefix.
SELECT row_to_json(e)
  FROM (SELECT substr(e.entrypoint, length($2) + 1) AS entrypoint, e.paused, e.concurrency_limit, e.max_attempts,
               extract(epoch FROM e.backoff_initial) AS backoff_initial_seconds,
               extract(epoch FROM e.backoff_max) AS backoff_max_seconds, e.backoff_multiplier, e.on_failure, e.max_releases,
               e.rate_limit, extract(epoch FROM e.rate_period) AS rate_period_seconds
          FROM pgq.entrypoints AS e
         WHERE ($1::text[] IS NULL OR e.entrypoint = ANY ($1)) AND starts_with(e.entrypoint, $2)
         ORDER BY e.entrypoint) AS e
