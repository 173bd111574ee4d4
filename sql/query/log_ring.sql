-- The log's ring: of each table its number, whether it has rows, and since when it is not written; beside it which is
-- written and since when, NULL where nothing has been written down.
-- Called by: background/pruner.rs, which keeps the row locked until it has written the next state. No parameters.
-- Reads one row and the sizes of eight files.
WITH ring AS MATERIALIZED (
    SELECT r.current, r.since, r.left_at FROM pgq.log_ring AS r FOR UPDATE
)
SELECT t.slot, r.current::int, r.since, r.left_at[t.slot + 1],
       pg_relation_size(format('pgq.job_log_%s', t.slot)::regclass) > 0
  FROM generate_series(0, 7) AS t(slot) LEFT JOIN ring AS r ON true
 ORDER BY t.slot
