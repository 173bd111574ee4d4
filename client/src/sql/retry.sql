SELECT r.id FROM unnest($1::bigint[], $2::int[], $3::float8[], $4::text[]) AS r (id, attempt, delay, reason)
 WHERE pgq.retry(r.id, make_interval(secs => r.delay), r.reason, worker => $5, attempt => r.attempt)
