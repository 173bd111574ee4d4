\set ECHO none
\i tests/pg_regress/fresh.sql
-- Producing: every error, with its SQLSTATE, the argument's name, a hint, and nothing changed.
-- error_of compares rows, log, settings, claims and workers before and after.
SELECT error_of($$SELECT pgq.enqueue('fetch')$$) AS control;
SELECT pgq.clear();

-- The entrypoint: NULL, empty, over 255 bytes (not letters).
SELECT error_of($$SELECT pgq.enqueue(NULL)$$);
SELECT error_of($$SELECT pgq.enqueue('')$$);
SELECT error_of($$SELECT pgq.enqueue(repeat('x', 256))$$);
SELECT error_of($$SELECT pgq.enqueue(repeat('é', 128))$$);
SELECT error_of($$SELECT pgq.enqueue('', '\x00'::bytea)$$);
SELECT error_of($$SELECT pgq.enqueue('', '1'::json)$$);
SELECT error_of($$SELECT pgq.enqueue('', '1'::jsonb)$$);
SELECT error_of($$SELECT pgq.enqueue('', dedupe_key => 'k', on_conflict => 'skip')$$);
SELECT error_of($$SELECT pgq.enqueue('', dedupe_key => 'k', on_conflict => 'replace')$$);
-- Both times.
SELECT error_of($$SELECT pgq.enqueue('fetch', execute_after => now(), delay => '1 s')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', execute_after => now(), delay => '0', dedupe_key => 'k', on_conflict => 'skip')$$);
-- Headers that are no object.
SELECT error_of($$SELECT pgq.enqueue('fetch', headers => '[1]')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', headers => '"text"')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', headers => 'null')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', headers => '1', dedupe_key => 'k', on_conflict => 'replace')$$);
-- An unknown on_conflict; the nearest of the allowed words comes first.
SELECT error_of($$SELECT pgq.enqueue('fetch', on_conflict => 'replce')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', on_conflict => 'SKIP')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', on_conflict => '')$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', on_conflict => NULL)$$);
-- Keys over 2000 bytes.
SELECT error_of($$SELECT pgq.enqueue('fetch', dedupe_key => repeat('x', 2001))$$);
SELECT error_of($$SELECT pgq.enqueue('fetch', ordering_key => repeat('é', 1001))$$);
-- A duplicate key under raise: 23505, with the key in DETAIL.
SELECT pgq.enqueue('fetch', dedupe_key => 'taken') IS NOT NULL AS enqueued;
SELECT error_of($$SELECT pgq.enqueue('fetch', dedupe_key => 'taken')$$);

-- enqueue_many: the same, for each element.
SELECT error_of($$SELECT pgq.enqueue_many(NULL, '{NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{}', '{NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{NULL}', '{NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{fine,""}', '{NULL,NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many(ARRAY[repeat('x', 256)], '{NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{fetch}', NULL)$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', NULL)$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a}', on_conflict => 'fail')$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a}', on_conflict => NULL)$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a,b}', headers => ARRAY['{}', '[]']::jsonb[])$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a,b}', dedupe_keys => ARRAY['k', repeat('x', 2001)])$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a,b}', ordering_keys => ARRAY[NULL, repeat('x', 2001)])$$);
-- Arrays of unequal length.
SELECT error_of($$SELECT pgq.enqueue_many('{a,b}', '{NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{a,b}', '{NULL,NULL,NULL}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{a,b}', '{}')$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{a}', '{x,y}', priorities => '{1}')$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{a}', '{x,y}', execute_after => ARRAY[now(), now(), now()])$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{a}', '{x,y}', dedupe_keys => '{}')$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{a}', '{x,y}', headers => ARRAY['{}']::jsonb[])$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{a}', '{x,y}', ordering_keys => '{a,b,c}')$$);
-- A duplicate: none of the call is inserted.
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a,b}', dedupe_keys => '{free,taken}')$$);
SELECT error_of($$SELECT pgq.enqueue_many_text('{fetch}', '{a,b}', dedupe_keys => '{same,same}')$$);
SELECT entrypoint, dedupe_key FROM pgq.jobs;

-- A call that fails does not end the transaction's other work where a savepoint keeps it.
BEGIN;
SELECT pgq.enqueue('kept') IS NOT NULL AS enqueued;
SAVEPOINT a;
SELECT pgq.enqueue('fetch', dedupe_key => 'taken');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO a;
SELECT pgq.enqueue('');
\echo :LAST_ERROR_SQLSTATE
ROLLBACK TO a;
COMMIT;
SELECT entrypoint FROM pgq.jobs ORDER BY id;
