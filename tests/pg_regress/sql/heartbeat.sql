\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.heartbeat. It returns those of `held` that this worker does not hold any more.
SELECT pgq.heartbeat(:'anna');
SELECT pgq.heartbeat(:'anna', '1 min', '{}'), pgq.heartbeat(:'anna', held => NULL), pgq.heartbeat(worker => :'anna', lease => NULL);
-- A worker that beats is known, with its lease, before it has claimed anything.
SELECT worker, kind, pid, lease, claims, since <= last_seen AND last_seen <= clock_timestamp() AS in_order FROM pgq.workers WHERE kind = 'named';

-- Held, not held, held by others, completed, canceled, released, retried, never heard of; in the order given.
SELECT pgq.enqueue_many_text('{h}', '{held,completed,canceled,released,retried,failed,berts,mine,nobodys}') AS ids;
SELECT id FROM pgq.dequeue('{h}', 6, :'anna') ORDER BY id;
SELECT id FROM pgq.dequeue('{h}', 1, :'bert');
SELECT id FROM pgq.dequeue('{h}');
SELECT pgq.heartbeat(:'anna', held => '{6,5,4,3,2,1}');
SELECT pgq.complete(2, :'anna'), pgq.cancel('{3}'), pgq.release('{4}', :'anna'), pgq.retry(5, '1 hour', worker => :'anna'), pgq.fail(6, worker => :'anna');
SELECT pgq.heartbeat(:'anna', held => '{99,9,8,7,6,5,4,3,2,1}');
-- The answer is worked out anew each time, so one that is lost costs nothing.
SELECT pgq.heartbeat(:'anna', held => '{99,9,8,7,6,5,4,3,2,1}');
SELECT pgq.heartbeat(:'bert', held => '{1,7}'), pgq.heartbeat(:'cora', held => '{1}');
-- A claim that has not been committed is held.
BEGIN;
SELECT id FROM pgq.dequeue('{h}', 1, :'anna') ORDER BY id;
SELECT pgq.heartbeat(:'anna', held => '{4,9}');
ROLLBACK;
SELECT pgq.heartbeat(:'anna', held => '{4,9}');
-- More than a few.
SELECT cardinality(pgq.enqueue_many_text('{many}', array_fill('x'::text, '{1000}'))) AS enqueued;
SELECT count(*) FROM pgq.dequeue('{many}', 1000, :'cora');
SELECT pgq.heartbeat(:'cora', held => ARRAY(SELECT id FROM pgq.jobs WHERE entrypoint = 'many'));
SELECT cardinality(pgq.heartbeat(:'anna', held => ARRAY(SELECT id FROM pgq.jobs WHERE entrypoint = 'many')));

-- It writes nothing: the transaction has no id, and no row is touched.
SELECT regress.state() AS before \gset
BEGIN;
SELECT pgq.heartbeat(:'anna', '1 hour', '{1}');
SELECT txid_current_if_assigned() AS transaction_id;
COMMIT;
SELECT regress.state() = :'before' AS untouched;
-- The lease is that of the last beat that named one; by default it is the setting.
SELECT lease FROM pgq.workers WHERE worker = :'anna';
SELECT pgq.heartbeat(:'anna', '10 s');
SELECT lease FROM pgq.workers WHERE worker = :'anna';
-- As long as it may be.
SELECT pgq.heartbeat(:'anna', '100 years');
SELECT justify_days(lease) > '98 years' AS long FROM pgq.workers WHERE worker = :'anna';
SHOW pgqueuer.default_lease;
SET pgqueuer.default_lease = '45 s';
SELECT pgq.heartbeat('dddddddd-0000-0000-0000-000000000004');
SELECT lease FROM pgq.workers WHERE worker = 'dddddddd-0000-0000-0000-000000000004';
SELECT id FROM pgq.dequeue('{h}', 1, 'eeeeeeee-0000-0000-0000-000000000005');
SELECT lease FROM pgq.workers WHERE worker = 'eeeeeeee-0000-0000-0000-000000000005';
