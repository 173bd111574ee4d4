\set ECHO none
\i tests/pg_regress/fresh.sql
-- Controlling: every error, with its SQLSTATE, the argument's name, a hint, and nothing changed.
SELECT pgq.enqueue_many_text('{fetch}', '{picked,failed,queued}');
SELECT count(*) FROM pgq.dequeue('{fetch}', 2);
SELECT pgq.finish('{2}', '{failed}');

SELECT error_of($$SELECT pgq.cancel(NULL)$$);
SELECT error_of($$SELECT pgq.cancel('{1,NULL}')$$);
SELECT error_of($$SELECT pgq.delete(NULL)$$);
SELECT error_of($$SELECT pgq.delete('{3,NULL}')$$);
SELECT error_of($$SELECT pgq.requeue(NULL)$$);
SELECT error_of($$SELECT pgq.requeue('{2,NULL}')$$);
SELECT error_of($$SELECT pgq.reschedule(NULL)$$);
SELECT error_of($$SELECT pgq.reschedule('{3,NULL}')$$);
SELECT error_of($$SELECT pgq.reschedule('{3}', NULL)$$);
-- NULL for all entrypoints is the default of clear; an empty list is none, and a list with a hole a mistake.
SELECT error_of($$SELECT pgq.clear('{}')$$);
SELECT error_of($$SELECT pgq.clear('{fetch,NULL}')$$);
SELECT error_of($$SELECT pgq.clear('{fetch,""}')$$);

SELECT error_of($$SELECT pgq.pause(NULL)$$);
SELECT error_of($$SELECT pgq.pause('')$$);
SELECT error_of($$SELECT pgq.pause(repeat('x', 256))$$);
SELECT error_of($$SELECT pgq.resume(NULL)$$);
SELECT error_of($$SELECT pgq.resume('')$$);

-- A value out of range or an unknown word: 22023 with the allowed ones.
SELECT error_of($$SELECT pgq.configure(NULL)$$);
SELECT error_of($$SELECT pgq.configure('')$$);
SELECT error_of($$SELECT pgq.configure(repeat('x', 256))$$);
SELECT error_of($$SELECT pgq.configure('fetch', concurrency_limit => -1)$$);
SELECT error_of($$SELECT pgq.configure('fetch', max_attempts => 0)$$);
SELECT error_of($$SELECT pgq.configure('fetch', max_attempts => -1)$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_initial => '-1 s')$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_max => '-1 s')$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_multiplier => 0.99)$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_multiplier => -2)$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_multiplier => 'NaN')$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_multiplier => 'Infinity')$$);
SELECT error_of($$SELECT pgq.configure('fetch', on_failure => 'drop')$$);
SELECT error_of($$SELECT pgq.configure('fetch', on_failure => 'DELETE')$$);
SELECT error_of($$SELECT pgq.configure('fetch', on_failure => '')$$);
SELECT error_of($$SELECT pgq.configure('fetch', max_releases => -1)$$);
SELECT error_of($$SELECT pgq.configure('fetch', rate_limit => -1)$$);
SELECT error_of($$SELECT pgq.configure('fetch', rate_period => '0')$$);
SELECT error_of($$SELECT pgq.configure('fetch', rate_period => '-1 s')$$);
SELECT error_of($$SELECT pgq.configure('fetch', rate_period => '-1 month')$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_initial => '101 years')$$);
SELECT error_of($$SELECT pgq.configure('fetch', backoff_max => '170000000 years')$$);
SELECT error_of($$SELECT pgq.configure('fetch', rate_period => '170000000 years')$$);
-- One bad value among good ones: none of them counts.
SELECT concurrency_limit FROM pgq.configure('fetch', concurrency_limit => 3);
SELECT error_of($$SELECT pgq.configure('fetch', concurrency_limit => 4, max_attempts => 0)$$);
SELECT concurrency_limit, max_attempts FROM pgq.entrypoints;
