\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.complete and pgq.complete_many. Who may is in fencing.

-- successful: the row leaves jobs, one row in the log.
SELECT pgq.enqueue('fetch', 'one', 3), pgq.enqueue('fetch', 'two'), pgq.enqueue('fetch', 'three');
SELECT id FROM pgq.dequeue('{fetch}');
SELECT pgq.complete(1);
SELECT * FROM queue;
SELECT job_id, entrypoint, priority, attempts, worker IS NOT NULL AS has_worker, outcome, error,
       created < picked AND picked < finished AND finished <= clock_timestamp() AS in_the_order_of_time
  FROM pgq.job_log;
-- Once only; one that is not picked, or not there, is not completed. Nothing of it is logged.
SELECT pgq.complete(1), pgq.complete(2), pgq.complete(99);
SELECT * FROM queue;
SELECT * FROM log;

-- Many: those really completed, in the order of the call, each once.
SELECT id FROM pgq.dequeue('{fetch}', 2);
SELECT pgq.complete_many('{3,99,2,3,1}');
SELECT pgq.complete_many('{2,3}'), pgq.complete_many('{}');
SELECT * FROM queue;
SELECT job_id, outcome FROM log ORDER BY job_id;
-- Those of a call end at one time.
SELECT count(DISTINCT finished) FROM pgq.job_log WHERE job_id IN (2, 3);

-- It takes untyped parameters, and ids out of a query.
SELECT pgq.enqueue('fetch'), pgq.enqueue('fetch'), pgq.enqueue('fetch');
PREPARE one AS SELECT pgq.complete($1);
PREPARE many AS SELECT pgq.complete_many($1);
SELECT id FROM pgq.dequeue('{fetch}', 2);
EXECUTE one('4');
EXECUTE many('{5,6}');
SELECT id, pgq.complete(id) FROM pgq.dequeue('{fetch}');

-- The log carries the attempt, the worker and the times of the row.
SELECT pgq.enqueue('named');
SELECT picked, created, pgq.retry(id, worker => :'anna') FROM pgq.dequeue('{named}', worker => :'anna') \gset
SELECT picked, created FROM pgq.dequeue('{named}', worker => :'anna') \gset
SELECT pgq.complete(7, :'anna');
SELECT outcome, attempts, worker = :'anna' AS by_anna, created = :'created' AS created, picked = :'picked' AS picked
  FROM pgq.job_log WHERE job_id = 7 AND outcome = 'successful';
