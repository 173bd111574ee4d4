\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.retry. The job is queued again after a delay; the attempt counts, and is logged as retried.
SELECT pgq.enqueue('fetch', 'again', 4, headers => '{"n": 1}', dedupe_key => 'k', ordering_key => 'o');
SELECT created FROM pgq.jobs \gset
-- At once, by default.
SELECT attempts, pgq.retry(id) FROM pgq.dequeue('{fetch}');
SELECT id, entrypoint, pgq.payload_text(payload), headers, priority, status, attempts, worker, picked, created = :'created' AS same_created, dedupe_key, ordering_key FROM pgq.jobs;
SELECT attempts, pgq.retry(id, reason => 'once more') FROM pgq.dequeue('{fetch}');
-- Not before the delay.
SELECT attempts, pgq.retry(id, '1 hour', 'busy "there"') FROM pgq.dequeue('{fetch}');
SELECT id FROM pgq.dequeue('{fetch}');
SELECT round(extract(epoch FROM j.execute_after - l.finished)) AS delay
  FROM pgq.jobs AS j JOIN pgq.job_log AS l ON l.job_id = j.id AND l.attempts = 2;
SELECT * FROM log;
-- The next attempt tells how many there were. A negative delay is none.
SELECT pgq.reschedule('{1}');
SELECT attempts, pgq.retry(id, '-1 day') FROM pgq.dequeue('{fetch}');
SELECT attempts, pgq.complete(id) FROM pgq.dequeue('{fetch}');
SELECT outcome, attempts, error FROM log WHERE job_id = 1;

-- max_attempts does not stop it: it is not a failure.
SELECT pgq.configure('never', max_attempts => 1) IS NOT NULL AS configured;
SELECT pgq.enqueue('never');
SELECT pgq.retry(id) FROM pgq.dequeue('{never}');
SELECT pgq.retry(id) FROM pgq.dequeue('{never}');
SELECT status, attempts FROM queue;
-- A retried job lands at its right place: behind those that became due before it.
SELECT pgq.enqueue('place', 'one'), pgq.enqueue('place', 'two');
SELECT pgq.payload_text(payload), pgq.retry(id) FROM pgq.dequeue('{place}');
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{place}', 2);

-- Not held, or not there: false, and nothing is logged.
SELECT pgq.retry(2), pgq.retry(99), pgq.retry(1);
SELECT count(*) FROM log WHERE job_id IN (2, 99);
