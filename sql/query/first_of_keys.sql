-- The first job of each of some ordering keys.
-- Called by: job/candidate.rs, for keys of jobs that it has seen. Parameters: entrypoint, keys.
-- Index: job_ordering_key_idx, one probe a key. A job with the key was seen, so what comes first in the range that begins
-- with the key is the lowest id of exactly this key. Asked for with "=", the planner could take the primary key for the
-- order and read the whole table.
SELECT k.ordering_key,
       (SELECT j.id FROM pgq.job AS j
         WHERE (j.entrypoint, j.ordering_key) >= ($1::text, k.ordering_key) AND j.ordering_key IS NOT NULL AND NOT j.held
         ORDER BY j.entrypoint, j.ordering_key, j.id LIMIT 1)
  FROM unnest($2::text[]) AS k(ordering_key)
