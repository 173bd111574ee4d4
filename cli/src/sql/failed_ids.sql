-- Ids of failed jobs above an id, a batch of them. $1 entrypoints or NULL, $2 the prefix, $3 the id, $4 how many.
SELECT j.id FROM pgq.jobs AS j
 WHERE j.status = 'failed' AND j.id > $3 AND ($1::text[] IS NULL OR j.entrypoint = ANY ($1)) AND starts_with(j.entrypoint, $2)
 ORDER BY j.id LIMIT $4
