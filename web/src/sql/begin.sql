-- No page takes longer, and nobody is waited for. Whatever the statistics say, an index is used: they may be of a
-- time when the queue was empty. Times that functions write into their texts are UTC, as those of the page.
SET LOCAL statement_timeout = '5s';
SET LOCAL lock_timeout = '1s';
SET LOCAL idle_in_transaction_session_timeout = '10s';
SET LOCAL enable_seqscan = off;
SET LOCAL jit = off;
SET LOCAL TimeZone = 'UTC';
