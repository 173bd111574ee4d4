-- For the rest of the transaction: indexes are used whatever the statistics say, and sentences tell times in a zone ($1).
SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true), set_config('TimeZone', $1, true)
