-- Inserts those of many jobs whose dedupe key is free and returns their ids. Of two with one key the first is inserted.
-- Called by: job/enqueue_many.rs, on_conflict is skip.
-- Parameters: as enqueue_many.sql.
-- Indexes: all of pgq.job. Locks: waits for other transactions that insert the same keys, in key order.
INSERT INTO pgq.job (id, created, due, execute_after, priority, entrypoint, producer, dedupe_key, ordering_key, payload, headers)
SELECT j.id, $1, greatest($1, j.execute_after), j.execute_after, coalesce(j.priority, 0), coalesce($11, j.entrypoint), $10,
       j.dedupe_key, j.ordering_key, j.payload, j.headers
  FROM unnest($2::bigint[], $3::text[], $4::bytea[], $5::int[], $6::timestamptz[], $7::text[], $8::jsonb[], $9::text[])
       AS j(id, entrypoint, payload, priority, execute_after, dedupe_key, headers, ordering_key)
 ORDER BY j.dedupe_key COLLATE "C", j.id
    ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL AND NOT held DO NOTHING
RETURNING id
