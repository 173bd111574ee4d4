\set ECHO none
\i tests/pg_regress/fresh.sql
-- Producing: pgq.enqueue. Keys and conflicts are in dedupe, bad arguments in errors_producing.

-- An entrypoint is all it takes; the answer is the id, and ids rise.
SELECT pgq.enqueue('fetch');
SELECT pgq.enqueue('fetch', 'hello world');
SELECT pg_typeof(pgq.enqueue('fetch', 'third'));
SELECT * FROM queue;

-- Every other column has the right default.
SELECT id, headers, dedupe_key, ordering_key, worker, picked, execute_after = created AS starts_at_once,
       created BETWEEN now() - interval '1 min' AND clock_timestamp() AS is_new
  FROM pgq.jobs WHERE id = 1;
-- Nothing is logged at enqueue.
SELECT count(*) FROM pgq.job_log;

-- The overloads resolve by type: text, bytes, json, jsonb.
SELECT pgq.enqueue('bytes', '\x00ff'::bytea);
SELECT pgq.enqueue('json', '{"b" : 1,  "a": 2}'::json);
SELECT pgq.enqueue('jsonb', '{"b" : 1,  "a": 2}'::jsonb);
-- And by the argument's name, untyped.
SELECT pgq.enqueue('bytes', payload_bytes => '\x00fe');
SELECT pgq.enqueue('json', payload_json => '[1,  2]');
SELECT pgq.enqueue('jsonb', payload_jsonb => '[1,  2]');
SELECT pgq.enqueue('text', payload => '[1,  2]');
-- Stored as bytes: bytes as they are, text as UTF-8, json and jsonb as their text.
SELECT pgq.enqueue('text', 'naïve €');
SELECT entrypoint, payload FROM pgq.jobs WHERE entrypoint = 'bytes' ORDER BY id;
SELECT entrypoint, convert_from(payload, 'UTF8') FROM pgq.jobs WHERE entrypoint IN ('text', 'json', 'jsonb') ORDER BY id;
-- An untyped parameter is text.
PREPARE untyped AS SELECT pgq.enqueue($1, $2);
EXECUTE untyped('untyped', '\x00ff');
SELECT convert_from(payload, 'UTF8') FROM pgq.jobs WHERE entrypoint = 'untyped';
-- No payload and an empty one are two things.
SELECT pgq.enqueue('empty', ''), pgq.enqueue('empty', NULL), pgq.enqueue('empty', payload_jsonb => NULL);
SELECT payload FROM pgq.jobs WHERE entrypoint = 'empty' ORDER BY id;
-- A long payload comes back as it went in.
SELECT pgq.enqueue('long', repeat('0123456789', 100000)) IS NOT NULL AS enqueued;
SELECT octet_length(payload), payload = convert_to(repeat('0123456789', 100000), 'UTF8') AS same
  FROM pgq.jobs WHERE entrypoint = 'long';

-- Everything at once, by position and by name.
SELECT pgq.enqueue('all', 'payload', 7, '2040-01-01 00:00+00', NULL, 'the key', 'raise', '{"trace": "1"}', 'the order') IS NOT NULL AS enqueued;
SELECT pgq.enqueue(entrypoint => 'all', payload => 'payload', priority => -7, delay => '1 hour', dedupe_key => 'another key',
                   on_conflict => 'skip', headers => '{"trace": {"id": 2}}', ordering_key => 'the order') IS NOT NULL AS enqueued;
SELECT entrypoint, pgq.payload_text(payload) AS payload, headers, priority, status, attempts, worker,
       execute_after = '2040-01-01 00:00+00' AS at_that_time, execute_after - created = '1 hour' AS an_hour_later,
       picked, dedupe_key, ordering_key
  FROM pgq.jobs WHERE entrypoint = 'all' ORDER BY id;

-- execute_after and delay say the earliest start; one that has passed is no obstacle.
SELECT pgq.enqueue('when', 'past', execute_after => '2001-01-01 00:00+00') IS NOT NULL,
       pgq.enqueue('when', 'minus infinity', execute_after => '-infinity') IS NOT NULL,
       pgq.enqueue('when', 'no delay', delay => '0') IS NOT NULL,
       pgq.enqueue('when', 'negative delay', delay => '-1 day') IS NOT NULL,
       pgq.enqueue('when', 'future', execute_after => now() + interval '1 hour') IS NOT NULL,
       pgq.enqueue('when', 'long delay', delay => '1 month') IS NOT NULL,
       pgq.enqueue('when', 'never', execute_after => 'infinity') IS NOT NULL;
SELECT pgq.payload_text(payload) AS may_start FROM pgq.dequeue('{when}', 100) ORDER BY id;

-- Both are transactional: the job exists exactly when the surrounding transaction commits.
BEGIN;
SELECT pgq.enqueue('transaction', 'rolled back') IS NOT NULL AS enqueued;
SELECT count(*) AS before_the_end FROM pgq.jobs WHERE entrypoint = 'transaction';
ROLLBACK;
SELECT count(*) AS after_rollback FROM pgq.jobs WHERE entrypoint = 'transaction';
BEGIN;
SELECT pgq.enqueue('transaction', 'kept') IS NOT NULL AS enqueued;
SAVEPOINT a;
SELECT pgq.enqueue('transaction', 'given up') IS NOT NULL AS enqueued;
ROLLBACK TO a;
COMMIT;
SELECT pgq.payload_text(payload) FROM pgq.jobs WHERE entrypoint = 'transaction';

-- From a trigger: the example of the contract.
CREATE TABLE regress.orders (id int, item text);
CREATE FUNCTION regress.order_placed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pgq.enqueue('ship', to_jsonb(NEW), priority => 5);
    RETURN NEW;
END
$$;
CREATE TRIGGER placed AFTER INSERT ON regress.orders FOR EACH ROW EXECUTE FUNCTION regress.order_placed();
INSERT INTO regress.orders VALUES (1, 'book'), (2, 'pen');
SELECT pgq.payload_json(payload)->>'item' AS item, priority FROM pgq.jobs WHERE entrypoint = 'ship' ORDER BY id;
