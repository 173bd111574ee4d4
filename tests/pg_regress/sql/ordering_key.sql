\set ECHO none
\i tests/pg_regress/fresh.sql
-- Producing and consuming: jobs of an entrypoint with one ordering key run one at a time, in order of enqueue.

-- One of each key in a batch; jobs without a key are free.
SELECT pgq.enqueue_many_text('{o}', '{a1,a2,b1,none1,b2,a3,none2}', ordering_keys => '{a,a,b,NULL,b,a,NULL}');
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10);
-- While the first is picked the others wait, whoever asks.
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10, :'anna');
SELECT pgq.complete(1);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10, :'anna');
-- In its own transaction an end does not free the key: it takes effect at commit.
BEGIN;
SELECT pgq.complete(3);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10);
ROLLBACK;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10);
SELECT pgq.complete(3);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10);
-- A release lets the same job go first again.
SELECT pgq.release('{2}', :'anna');
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{o}', 10);
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;

-- Priority is not looked at within a key, nor is the time: the first is the one with the lowest id.
SELECT pgq.enqueue_many_text('{p}', '{first,urgent,other}', '{0,9,5}', ordering_keys => '{k,k,l}') IS NOT NULL AS enqueued;
INSERT INTO pgq.jobs (entrypoint, payload, ordering_key, created) VALUES ('p', 'older', 'k', now() - interval '1 day');
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{p}', 10);
SELECT pgq.complete(id) FROM pgq.jobs WHERE status = 'picked';
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{p}', 10);
SELECT pgq.complete(id) FROM pgq.jobs WHERE status = 'picked';
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{p}', 10);
SELECT pgq.complete(id) FROM pgq.jobs WHERE status = 'picked';

-- A first job that is deferred, or waits for its retry, keeps the others waiting too.
SELECT pgq.enqueue('d', 'deferred', delay => '1 hour', ordering_key => 'k') AS first, pgq.enqueue('d', 'next', ordering_key => 'k') AS next,
       pgq.enqueue('d', 'last', ordering_key => 'k') AS last \gset
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
SELECT pgq.reschedule(ARRAY[:first]) IS NOT NULL AS rescheduled;
SELECT pgq.payload_text(payload), pgq.retry(id, '1 hour') FROM pgq.dequeue('{d}', 10);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
SELECT pgq.reschedule(ARRAY[:first]) IS NOT NULL AS rescheduled;
SELECT pgq.configure('d', max_attempts => 2, backoff_initial => '1 hour', backoff_max => '1 hour') IS NOT NULL AS configured;
SELECT pgq.payload_text(payload), pgq.fail(id) FROM pgq.dequeue('{d}', 10);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
-- One that is held as failed does not block.
SELECT pgq.reschedule(ARRAY[:first]) IS NOT NULL AS rescheduled;
SELECT pgq.payload_text(payload), pgq.fail(id) FROM pgq.dequeue('{d}', 10);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
-- Requeued, it is the first again; who runs meanwhile runs on, alone.
SELECT pgq.requeue(ARRAY[:first]) IS NOT NULL AS requeued;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
SELECT pgq.complete(:next);
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
-- Canceled and deleted ones make room.
SELECT pgq.cancel(ARRAY[:first]) IS NOT NULL AS canceled;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
SELECT pgq.enqueue('d', 'far', delay => '1 hour', ordering_key => 'm') AS far, pgq.enqueue('d', 'near', ordering_key => 'm') AS near \gset
SELECT pgq.delete(ARRAY[:far]) IS NOT NULL AS deleted;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{d}', 10);
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;

-- A key is scoped to its entrypoint.
SELECT pgq.enqueue_many_text('{e,f,e,f}', '{e1,f1,e2,f2}', ordering_keys => '{k,k,k,k}') IS NOT NULL AS enqueued;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{e,f}', 10);
-- Entrypoint and key are two things, however they are spelt.
SELECT pgq.enqueue('ab', 'ab c', ordering_key => 'c') IS NOT NULL, pgq.enqueue('a', 'a bc', ordering_key => 'bc') IS NOT NULL,
       pgq.enqueue('a', 'a, empty key', ordering_key => '') IS NOT NULL, pgq.enqueue('a', 'a, empty key again', ordering_key => '') IS NOT NULL;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{ab,a}', 10);
-- Behind a long row of one key the next key is found.
SELECT cardinality(pgq.enqueue_many_text('{long}', array_fill('same'::text, '{3000}'), ordering_keys => array_fill('k'::text, '{3000}'))) AS enqueued;
SELECT pgq.enqueue('long', 'other', ordering_key => 'l') IS NOT NULL AS enqueued;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{long}', 10);
