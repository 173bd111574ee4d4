SELECT f.id FROM unnest($1::bigint[], $2::int[], $3::jsonb[]) AS f (id, attempt, error)
 WHERE pgq.fail(f.id, error_jsonb => f.error, worker => $4, attempt => f.attempt) IS NOT NULL
