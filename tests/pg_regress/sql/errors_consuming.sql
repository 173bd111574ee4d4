\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: every error, with its SQLSTATE, the argument's name, a hint, and nothing changed. What needs a certain
-- place (select list, READ ONLY) is in dequeue_where, PREPARE TRANSACTION in savepoints.
SELECT pgq.enqueue_many_text('{fetch}', '{held,held,queued}');
SELECT id FROM pgq.dequeue('{fetch}', 1, :'anna');
SELECT id FROM pgq.dequeue('{fetch}');

SELECT error_of($$SELECT * FROM pgq.dequeue(NULL)$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{}')$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch,NULL}')$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch,""}')$$);
SELECT error_of($$SELECT * FROM pgq.dequeue(ARRAY[repeat('x', 256)])$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', 0)$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', -1)$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', max_in_flight => 0)$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', max_in_flight => -5)$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', worker => 'bbbbbbbb-0000-0000-0000-000000000002', lease => '0')$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', worker => 'bbbbbbbb-0000-0000-0000-000000000002', lease => '-1 s')$$);
SELECT error_of($$SELECT * FROM pgq.dequeue('{fetch}', worker => 'bbbbbbbb-0000-0000-0000-000000000002', lease => '101 years')$$);

SELECT error_of($$SELECT pgq.complete(NULL)$$);
SELECT error_of($$SELECT pgq.complete_many(NULL)$$);
SELECT error_of($$SELECT pgq.complete_many('{2,NULL}')$$);
SELECT error_of($$SELECT pgq.complete_many('{2}', attempts => '{}')$$);
SELECT error_of($$SELECT pgq.complete_many('{2,3}', attempts => '{0,0,0}')$$);

SELECT error_of($$SELECT pgq.fail(NULL)$$);
SELECT error_of($$SELECT pgq.fail(NULL, '1'::json)$$);
SELECT error_of($$SELECT pgq.fail(NULL, '1'::jsonb)$$);
SELECT error_of($$SELECT pgq.retry(NULL)$$);

-- Outcomes: an unknown word is an error, also where the others are right, and nothing is ended.
SELECT error_of($$SELECT pgq.finish('{2}', '{succesful}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{queued}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{Failed}')$$);
SELECT error_of($$SELECT pgq.finish('{2,3}', '{successful,canceled}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{NULL}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{""}')$$);
SELECT error_of($$SELECT pgq.finish(NULL, '{successful}')$$);
SELECT error_of($$SELECT pgq.finish('{NULL}', '{successful}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', NULL)$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{successful,successful}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{successful}', '{}')$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{successful}', ARRAY[NULL, NULL]::jsonb[])$$);
SELECT error_of($$SELECT pgq.finish('{2}', '{successful}', attempts => '{0,0}')$$);

SELECT error_of($$SELECT pgq.release(NULL)$$);
SELECT error_of($$SELECT pgq.release('{NULL,2}')$$);
SELECT error_of($$SELECT pgq.release('{2}', attempts => '{0,1}')$$);

SELECT error_of($$SELECT pgq.heartbeat(NULL)$$);
-- A worker that nobody has heard of stays unknown.
SELECT error_of($$SELECT pgq.heartbeat('dddddddd-0000-0000-0000-000000000004', held => '{1,NULL}')$$);
SELECT error_of($$SELECT pgq.attach(NULL)$$);
SELECT error_of($$SELECT pgq.heartbeat('bbbbbbbb-0000-0000-0000-000000000002', '0')$$);
SELECT error_of($$SELECT pgq.heartbeat('bbbbbbbb-0000-0000-0000-000000000002', '-1 day')$$);
SELECT error_of($$SELECT pgq.heartbeat('bbbbbbbb-0000-0000-0000-000000000002', '170000000 years')$$);

SELECT error_of($$SELECT pgq.listen(NULL)$$);
SELECT error_of($$SELECT pgq.listen('{}')$$);
SELECT error_of($$SELECT pgq.listen('{fetch,NULL}')$$);
SELECT error_of($$SELECT pgq.listen('{fetch,""}')$$);
SELECT count(*) FROM pg_listening_channels();
SELECT error_of($$SELECT pgq.channel(NULL)$$);
SELECT error_of($$SELECT pgq.channel('')$$);
SELECT error_of($$SELECT pgq.channel(repeat('x', 256))$$);

-- The claims are as they were: held, and theirs to end.
SELECT pgq.complete(1, :'anna'), pgq.complete(2);
