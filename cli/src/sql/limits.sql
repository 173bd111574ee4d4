-- For the rest of the transaction: it ends in time ($1), waits for nobody, and uses indexes in their order, whatever the
-- statistics say; $2 allows to gather pages from them first, as an index needs that knows pages only (brin). Times are UTC.
SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', '1s', true),
       set_config('idle_in_transaction_session_timeout', '10s', true), set_config('enable_seqscan', 'off', true),
       set_config('jit', 'off', true), set_config('TimeZone', 'UTC', true),
       set_config('enable_bitmapscan', CASE WHEN $2 THEN 'on' ELSE 'off' END, true)
