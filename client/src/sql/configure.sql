SELECT FROM pgq.configure($1, concurrency_limit => $2, max_attempts => $3, backoff_initial => make_interval(secs => $4),
                          backoff_max => make_interval(secs => $5), backoff_multiplier => $6, on_failure => $7,
                          max_releases => $8, rate_limit => $9, rate_period => make_interval(secs => $10))
