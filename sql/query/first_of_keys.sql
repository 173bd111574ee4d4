-- The first job of each of some ordering keys.
-- Called by: job/candidate.rs. Parameters: entrypoint, keys.
-- Index: job_ordering_key_idx, one probe a key. Asked for with "=" alone, the planner could take the primary key for the
-- order and read the whole table: so the index's own columns give the order.
SELECT k.ordering_key,
       (SELECT j.id FROM pgq.job AS j
         WHERE j.entrypoint = $1::text AND j.ordering_key = k.ordering_key AND j.ordering_key IS NOT NULL AND NOT j.held
         ORDER BY j.entrypoint, j.ordering_key, j.id LIMIT 1)
  FROM unnest($2::text[]) AS k(ordering_key)
