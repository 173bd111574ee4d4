-- Changes the settings that are given, makes the row if there is none, and returns it.
-- Called by: control/entrypoint.rs, which has checked them. Parameters: entrypoint, then the settings in their order.
INSERT INTO pgq.entrypoints AS e (entrypoint, concurrency_limit, max_attempts, backoff_initial, backoff_max,
                                  backoff_multiplier, on_failure, max_releases, rate_limit, rate_period)
VALUES ($1::text, coalesce($2::int, 0), coalesce($3::int, 5), coalesce($4::interval, '1 s'), coalesce($5::interval, '5 min'),
        coalesce($6::float8, 2), coalesce($7::text, 'hold'), coalesce($8::int, 10), coalesce($9::int, 0), coalesce($10::interval, '1 s'))
    ON CONFLICT (entrypoint) DO UPDATE SET
        concurrency_limit = coalesce($2, e.concurrency_limit), max_attempts = coalesce($3, e.max_attempts),
        backoff_initial = coalesce($4, e.backoff_initial), backoff_max = coalesce($5, e.backoff_max),
        backoff_multiplier = coalesce($6, e.backoff_multiplier), on_failure = coalesce($7, e.on_failure),
        max_releases = coalesce($8, e.max_releases), rate_limit = coalesce($9, e.rate_limit),
        rate_period = coalesce($10, e.rate_period)
RETURNING e
