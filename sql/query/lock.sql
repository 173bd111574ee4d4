-- Locks rows, waiting for others, and returns what decides about them.
-- Called by: control/mod.rs and job/finish.rs, always before they look who holds the jobs. Parameters: ids.
-- Locks: rows, in the order of their ids; everybody who locks several jobs keeps that order.
SELECT j.id, j.entrypoint, j.held, j.attempts, j.created, j.ordering_key IS NOT NULL FROM pgq.job AS j WHERE j.id = ANY ($1::bigint[]) ORDER BY j.id FOR UPDATE
