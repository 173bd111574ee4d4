\set ECHO none
\i tests/pg_regress/fresh.sql
-- Producing: pgq.enqueue_many and pgq.enqueue_many_text. Keys are in dedupe, bad arguments in errors_producing.

-- One element per input, in order.
SELECT pgq.enqueue_many('{fetch,parse,fetch}', ARRAY['\x01', '\x00ff', NULL]::bytea[]);
SELECT id, entrypoint, payload FROM pgq.jobs ORDER BY id;
-- An array of one entrypoint is for all.
SELECT pgq.enqueue_many('{fetch}', ARRAY['\x04', '\x05']::bytea[]);
SELECT id, entrypoint, payload FROM pgq.jobs WHERE id > 3 ORDER BY id;
-- Text and JSON, backslashes included.
SELECT pgq.enqueue_many_text('{fetch,parse}', ARRAY['naïve €', '{"p":"C:\\dir"}']);
SELECT pgq.enqueue_many_text('{fetch}', '{one,NULL}');
SELECT id, entrypoint, convert_from(payload, 'UTF8') FROM pgq.jobs WHERE id > 5 ORDER BY id;
-- One job is a batch too; no job is an empty answer.
SELECT pgq.enqueue_many_text('{fetch}', '{alone}');
SELECT pgq.enqueue_many_text('{fetch}', '{}'), pgq.enqueue_many('{fetch}', '{}');
SELECT pgq.enqueue_many_text('{}', '{}');
SELECT count(*) FROM pgq.jobs;

-- Every setting is an array beside the others; NULL in it, or instead of it, is the default.
SELECT pgq.enqueue_many_text(
    entrypoints => '{all}', payloads => '{a,b,c}', priorities => '{5,NULL,-5}',
    execute_after => ARRAY['2040-01-01 00:00+00', NULL, '2001-01-01 00:00+00']::timestamptz[],
    dedupe_keys => '{k1,NULL,k3}', on_conflict => 'skip', headers => ARRAY['{"n": 1}', NULL, '{}']::jsonb[],
    ordering_keys => '{o,o,NULL}');
SELECT pgq.enqueue_many('{all}', ARRAY['\x64']::bytea[], '{9}', NULL, '{k4}', 'raise', ARRAY['{"n": 4}']::jsonb[], '{p}');
SELECT pgq.payload_text(payload) AS payload, headers, priority, status, attempts, execute_after > created AS deferred,
       execute_after = created AS at_once, dedupe_key, ordering_key
  FROM pgq.jobs WHERE entrypoint = 'all' ORDER BY id;
-- Jobs of one call are created at one time, so id decides between them.
SELECT count(DISTINCT created) FROM pgq.jobs WHERE id BETWEEN 11 AND 13;

-- Ids rise in the order of the input, whatever the keys: ordering keys go by it.
SELECT pgq.enqueue_many_text('{keyed}', '{first,second,third}', dedupe_keys => '{z,m,a}');
SELECT pgq.payload_text(payload) FROM pgq.jobs WHERE entrypoint = 'keyed' ORDER BY id;

-- All of a large batch, in order.
CREATE TABLE regress.answer AS
SELECT pgq.enqueue_many_text('{large}', ARRAY(SELECT n::text FROM generate_series(1, 10000) AS n)) AS ids;
SELECT count(*), bool_and(a.id = j.id) AS ids_in_order, bool_and(a.n = pgq.payload_text(j.payload)::int) AS payloads_in_order
  FROM regress.answer, unnest(ids) WITH ORDINALITY AS a(id, n) JOIN pgq.jobs AS j USING (id) WHERE j.entrypoint = 'large';

-- Transactional, as pgq.enqueue is.
BEGIN;
SELECT cardinality(pgq.enqueue_many_text('{transaction}', '{a,b}'));
ROLLBACK;
SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'transaction';

-- What counts is the order of the elements, not their indexes.
SELECT cardinality(pgq.enqueue_many_text('[0:1]={low,high}', '[7:8]={one,two}', '[-1:0]={101,102}'));
SELECT entrypoint, pgq.payload_text(payload), priority FROM pgq.jobs WHERE priority > 100 ORDER BY id;
