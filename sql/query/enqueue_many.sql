-- Inserts many jobs.
-- Called by: job/enqueue_many.rs, on_conflict is raise.
-- Parameters: now, ids, entrypoints (or NULL), payloads, priorities, execute_after, dedupe_keys, headers, ordering_keys,
-- producer, entrypoint for all (or NULL).
-- Indexes: all of pgq.job. Locks: keys are entered in their order, so that two calls never wait for each other.
INSERT INTO pgq.job (id, created, due, execute_after, priority, entrypoint, producer, dedupe_key, ordering_key, payload, headers)
SELECT j.id, $1, greatest($1, j.execute_after), j.execute_after, coalesce(j.priority, 0), coalesce($11, j.entrypoint), $10,
       j.dedupe_key, j.ordering_key, j.payload, j.headers
  FROM unnest($2::bigint[], $3::text[], $4::bytea[], $5::int[], $6::timestamptz[], $7::text[], $8::jsonb[], $9::text[])
       AS j(id, entrypoint, payload, priority, execute_after, dedupe_key, headers, ordering_key)
 ORDER BY j.dedupe_key COLLATE "C", j.id
