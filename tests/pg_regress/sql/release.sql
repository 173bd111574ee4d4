\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.release gives claims back. Queued at once, the attempt not counted, nothing logged, nothing written.
SELECT pgq.enqueue_many_text('{fetch}', '{one,two,three}', '{2,1,0}');
SELECT array_agg(ctid::text || xmin || xmax ORDER BY id) AS before FROM pgq.job \gset
SELECT id, attempts FROM pgq.dequeue('{fetch}', 2);
-- Those really released, in the order of the call, each once.
SELECT pgq.release('{2,3,99,1,2}');
SELECT id, status, attempts, worker, picked FROM pgq.jobs ORDER BY id;
SELECT count(*) FROM log;
SELECT array_agg(ctid::text || xmin || xmax ORDER BY id) = :'before' AS untouched FROM pgq.job;
SELECT kind, claims FROM pgq.workers WHERE claims > 0;
SELECT pgq.release('{1,2,3}'), pgq.release('{}');
-- At its old place, for anybody.
SELECT id, attempts FROM pgq.dequeue('{fetch}', 2, :'anna');
SELECT pgq.release('{1,2}');
SELECT pgq.release('{1}', :'bert');
SELECT pgq.release('{1,2}', :'anna', '{1,0}');
SELECT pgq.release('{1,2}', worker => :'anna');
SELECT id, status FROM queue;
-- A retried job stays in its attempt.
SELECT pgq.retry(id) FROM pgq.dequeue('{fetch}');
SELECT id, attempts FROM pgq.dequeue('{fetch}', 3) ORDER BY id;
SELECT pgq.release('{1}', attempts => '{0}');
SELECT pgq.release('{1}', attempts => '{1}');
SELECT id, status, attempts FROM queue;
