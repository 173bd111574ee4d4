\set ECHO none
\i tests/pg_regress/fresh.sql
-- Controlling: pgq.pause, pgq.resume, pgq.configure.

-- While an entrypoint is paused nothing of it is handed out; others are.
SELECT pgq.enqueue_many_text('{p,q,p,q}', '{1,2,3,4}');
SELECT id FROM pgq.dequeue('{p}');
SELECT pgq.pause('p'), pgq.pause('p');
SELECT id, entrypoint FROM pgq.dequeue('{p,q}', 1);
SELECT id FROM pgq.dequeue('{p}', 10);
SELECT entrypoint, paused FROM pgq.entrypoints;
-- What runs may end, what comes is kept.
SELECT pgq.complete(1), pgq.enqueue('p');
SELECT id, entrypoint FROM pgq.dequeue('{p,q}', 10);
SELECT pgq.resume('p'), pgq.resume('p'), pgq.resume('never heard of');
SELECT id FROM pgq.dequeue('{p}', 10);
-- A pause that is rolled back was none; an entrypoint needs no declaration before.
BEGIN;
SELECT pgq.pause('new');
ROLLBACK;
SELECT entrypoint, paused FROM pgq.entrypoints ORDER BY 1;
SELECT pgq.pause('new');
SELECT pgq.enqueue('new');
SELECT id FROM pgq.dequeue('{new}');
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;

-- configure creates the row, with the defaults of the contract.
SELECT * FROM pgq.configure('fetch');
SELECT * FROM pgq.entrypoints WHERE entrypoint = 'fetch';
-- Every setting, by position.
SELECT * FROM pgq.configure('fetch', 4, 3, '2 s', '1 min', 1.5, 'delete', 7, 100, '1 min');
-- NULL leaves as it is, one after the other.
SELECT * FROM pgq.configure('fetch', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM pgq.configure('fetch', concurrency_limit => 5);
SELECT * FROM pgq.configure('fetch', max_attempts => 1);
SELECT * FROM pgq.configure('fetch', backoff_initial => '0');
SELECT * FROM pgq.configure('fetch', backoff_max => '0');
SELECT * FROM pgq.configure('fetch', backoff_multiplier => 1);
SELECT * FROM pgq.configure('fetch', on_failure => 'hold');
SELECT * FROM pgq.configure('fetch', max_releases => 0);
SELECT * FROM pgq.configure('fetch', rate_limit => 0);
SELECT * FROM pgq.configure('fetch', rate_period => '1 microsecond');
-- The largest values that are allowed.
SELECT * FROM pgq.configure('large', 2147483647, 2147483647, '100 years', '100 years', 1.7976931348623157e308, NULL, 2147483647, 2147483647, '100 years');
-- It does not touch a pause, nor a pause the settings.
SELECT pgq.pause('fetch');
SELECT concurrency_limit, paused FROM pgq.configure('fetch', concurrency_limit => 6);
SELECT pgq.resume('fetch');
SELECT concurrency_limit, paused FROM pgq.entrypoints WHERE entrypoint = 'fetch';
-- Transactional, and in a select list too.
BEGIN;
SELECT (pgq.configure('fetch', concurrency_limit => 9)).concurrency_limit;
ROLLBACK;
SELECT concurrency_limit FROM pgq.entrypoints WHERE entrypoint = 'fetch';
