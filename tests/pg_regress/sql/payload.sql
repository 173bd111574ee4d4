\set ECHO none
\i tests/pg_regress/fresh.sql
-- Seeing: pgq.payload_text and pgq.payload_json.
SELECT pgq.payload_text('hello'), pgq.payload_text(''), pgq.payload_text(NULL), pgq.payload_text(convert_to('naïve € 𝄞', 'UTF8'));
-- NULL where it is not UTF-8: bytes that never occur, cut and overlong sequences, surrogates, beyond the last code point; the byte 0.
SELECT b, pgq.payload_text(b) FROM unnest(ARRAY['\xff', '\x61ff', '\xc3', '\xe282', '\xc0af', '\xeda080', '\xf4908080', '\x00', '\x610062']::bytea[]) AS b;
SELECT pgq.payload_text('\xf48fbfbf') IS NOT NULL AS the_last_code_point;
-- NULL where it is not JSON.
SELECT p, pgq.payload_json(convert_to(p, 'UTF8')) AS json, jsonb_typeof(pgq.payload_json(convert_to(p, 'UTF8'))) AS type
  FROM unnest(ARRAY['{"b": 1, "a": [true, null]}', '[]', '"text"', '12.50', 'true', 'null', ' {"a":1} ', '', ' ', '{', '{"a": }', 'hello', '{"a": 1} x',
                    '{''a'': 1}', '"\u0000"', '"\ud800"', '"\u20ac"', '1e400000', 'NaN']) AS p;
SELECT pgq.payload_json('\xff'), pgq.payload_json('\x2200 22'), pgq.payload_json(NULL), pgq.payload_json('\x2261ff22');
-- However deep.
SELECT pgq.payload_json(convert_to(repeat('[', 1000000), 'UTF8')) IS NULL AS too_deep;
-- What was enqueued comes back.
SELECT pgq.enqueue('p', 'text é'), pgq.enqueue('p', payload_json => '{"a":  1}'), pgq.enqueue('p', payload_jsonb => '{"a":  1}'), pgq.enqueue('p', payload_bytes => '\x00ff');
SELECT pgq.payload_text(payload), pgq.payload_json(payload)->'a' AS a FROM pgq.dequeue('{p}', 10);
-- In an index, and in one statement with bad ones: an error in one is no error of the call.
CREATE TABLE regress.payloads AS SELECT CASE n % 3 WHEN 0 THEN '{"n": 1}' WHEN 1 THEN '{' ELSE '\xff'::bytea END AS p FROM generate_series(1, 300) AS n;
CREATE INDEX ON regress.payloads ((pgq.payload_json(p)->>'n'));
SELECT count(*), count(pgq.payload_text(p)) AS texts, count(pgq.payload_json(p)) AS jsons FROM regress.payloads;
BEGIN;
SELECT pgq.payload_json('{');
SELECT 'goes on' AS transaction;
COMMIT;
