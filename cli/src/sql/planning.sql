-- For the rest of the transaction: indexes are used in their order, whatever the statistics say; $2 allows to gather pages
-- from them first, as an index needs that knows pages only (brin). Sentences tell times in a zone ($1).
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), set_config('TimeZone', $1, true),
       set_config('enable_bitmapscan', CASE WHEN $2 THEN 'on' ELSE 'off' END, true)
