\set ECHO none
\i tests/pg_regress/fresh.sql
-- Producing: dedupe_key and on_conflict.
CREATE VIEW regress.keys AS
SELECT id, entrypoint, pgq.payload_text(payload) AS payload, headers, priority, status, execute_after > created AS deferred, dedupe_key, ordering_key
  FROM pgq.jobs ORDER BY id;

-- raise, the default: 23505 with the key in DETAIL. A key is unique over all entrypoints.
SELECT pgq.enqueue('fetch', 'first', dedupe_key => 'k');
SELECT error_of($$SELECT pgq.enqueue('fetch', 'second', dedupe_key => 'k')$$);
SELECT error_of($$SELECT pgq.enqueue('parse', 'second', dedupe_key => 'k', on_conflict => 'raise')$$);
-- skip: NULL, and the job stays as it is.
SELECT pgq.enqueue('parse', 'second', dedupe_key => 'k', on_conflict => 'skip');
SELECT * FROM regress.keys;
-- Jobs without a key never conflict.
SELECT pgq.enqueue('fetch', on_conflict => 'raise') IS NULL AS raise, pgq.enqueue('fetch', on_conflict => 'skip') IS NULL AS skip,
       pgq.enqueue('fetch', on_conflict => 'replace') IS NULL AS replace;
SELECT pgq.clear();

-- replace rewrites payload, priority, headers and execute_after, and returns the id of the job that has the key.
SELECT pgq.enqueue('fetch', 'old', 1, delay => '1 hour', dedupe_key => 'r', headers => '{"n": 1}', ordering_key => 'o') AS first \gset
SELECT created AS born FROM pgq.jobs WHERE id = :first \gset
SELECT pgq.enqueue('parse', 'new', 2, '2001-01-01 00:00+00', dedupe_key => 'r', on_conflict => 'replace', headers => '{"n": 2}', ordering_key => 'other') = :first AS same_id;
SELECT entrypoint, payload, headers, priority, status, deferred, dedupe_key, ordering_key FROM regress.keys;
SELECT created = :'born' AS still_as_old, execute_after = '2001-01-01 00:00+00' AS new_start FROM pgq.jobs;
-- Defaults replace too: what the new call does not say is not kept from the old one.
SELECT pgq.enqueue('fetch', priority => 0, dedupe_key => 'r', on_conflict => 'replace', delay => '1 hour') = :first AS same_id;
SELECT payload, headers, priority, deferred FROM regress.keys;
SELECT pgq.enqueue('fetch', payload_jsonb => '{"a": 1}', dedupe_key => 'r', on_conflict => 'replace') = :first AS same_id;
SELECT payload, headers, priority, deferred FROM regress.keys;
-- Where nobody has the key, it inserts.
SELECT pgq.enqueue('fetch', 'fresh', dedupe_key => 's', on_conflict => 'replace') IS NOT NULL AS inserted;
-- What was replaced is what is handed out, once.
SELECT id = :first AS first, pgq.payload_text(payload) FROM pgq.dequeue('{fetch}', 10) ORDER BY id;

-- Both are picked now. The key is taken still: raise and skip as before, and replace behaves as skip.
SELECT error_of($$SELECT pgq.enqueue('fetch', dedupe_key => 'r')$$);
SELECT pgq.enqueue('fetch', dedupe_key => 'r', on_conflict => 'skip');
SELECT pgq.enqueue('fetch', 'too late', 9, dedupe_key => 'r', on_conflict => 'replace');
SELECT payload, priority, status FROM regress.keys;
-- A retried job keeps its key and can be replaced while it waits; its attempts stay.
SELECT pgq.retry(:first, '1 hour');
SELECT error_of($$SELECT pgq.enqueue('fetch', dedupe_key => 'r')$$);
SELECT pgq.enqueue('fetch', 'between attempts', dedupe_key => 'r', on_conflict => 'replace') = :first AS same_id;
SELECT id = :first AS first, pgq.payload_text(payload), attempts FROM pgq.dequeue('{fetch}');
SELECT pgq.complete(:first);

-- The key is free after every end, and while a job is held as failed.
SELECT pgq.clear(), cardinality(pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)));
SELECT pgq.configure('fetch', max_attempts => 1) IS NOT NULL AS configured;
SELECT pgq.enqueue('fetch', dedupe_key => 'e') AS id \gset
SELECT status, pgq.complete(id) FROM pgq.dequeue('{fetch}');
SELECT pgq.enqueue('fetch', dedupe_key => 'e') > :id AS after_complete;
SELECT status, pgq.finish(ARRAY[id], '{exception}') IS NOT NULL FROM pgq.dequeue('{fetch}');
SELECT pgq.enqueue('fetch', dedupe_key => 'e') > :id AS after_exception;
SELECT cardinality(pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)));
SELECT pgq.enqueue('fetch', dedupe_key => 'e') > :id AS after_cancel;
SELECT cardinality(pgq.delete(ARRAY(SELECT id FROM pgq.jobs)));
SELECT pgq.enqueue('fetch', dedupe_key => 'e') > :id AS after_delete;
SELECT pgq.clear();
SELECT pgq.enqueue('fetch', dedupe_key => 'e') > :id AS after_clear;
SELECT pgq.fail(id) FROM pgq.dequeue('{fetch}');
SELECT pgq.enqueue('fetch', dedupe_key => 'e') > :id AS while_failed;
SELECT pgq.fail(id) FROM pgq.dequeue('{fetch}');
SELECT pgq.enqueue('fetch', 'live', dedupe_key => 'e', on_conflict => 'replace') > :id AS a_failed_one_is_not_replaced;
SELECT payload, status, dedupe_key FROM regress.keys;

-- In one transaction: completed, and enqueued again under its key.
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;
SELECT pgq.enqueue('fetch', 'first', dedupe_key => 'e') AS id \gset
BEGIN;
SELECT pgq.complete(id) FROM pgq.dequeue('{fetch}');
SELECT pgq.enqueue('fetch', 'second', dedupe_key => 'e') > :id AS enqueued;
COMMIT;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{fetch}', 10);

-- enqueue_many: NULL where skipped, every other job is there. Of two with one key in a call the first is inserted.
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;
SELECT pgq.enqueue_many_text('{many}', '{zero}', dedupe_keys => '{b}') IS NOT NULL AS enqueued;
SELECT array_position(ids, NULL), cardinality(array_remove(ids, NULL))
  FROM pgq.enqueue_many_text('{many}', '{one,two,three,four}', dedupe_keys => '{a,b,c,NULL}', on_conflict => 'skip') AS ids;
SELECT array_positions(ids, NULL) FROM pgq.enqueue_many_text('{many}', '{five,six,seven,eight}', dedupe_keys => '{d,d,NULL,NULL}', on_conflict => 'skip') AS ids;
SELECT payload, dedupe_key FROM regress.keys;
-- raise: all or none.
SELECT error_of($$SELECT pgq.enqueue_many_text('{many}', '{x,y,z}', dedupe_keys => '{x,b,z}')$$);
SELECT error_of($$SELECT pgq.enqueue_many('{many}', '{x,y}', dedupe_keys => '{x,x}')$$);
-- replace: the id of the job that has the key; of two with one key the last counts.
SELECT pgq.enqueue_many_text('{many}', '{A,N1,N2,P}', '{3,4,5,6}', dedupe_keys => '{a,new,new,NULL}', on_conflict => 'replace') AS ids \gset
SELECT n, payload, dedupe_key FROM unnest(:'ids'::bigint[]) WITH ORDINALITY AS a(id, n) LEFT JOIN regress.keys USING (id) ORDER BY n;
SELECT payload, priority, dedupe_key FROM regress.keys;
-- Where one is picked, replace skips that one.
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{many}', 2);
SELECT array_positions(ids, NULL) AS skipped
  FROM pgq.enqueue_many_text('{many}', '{no,yes}', dedupe_keys => '{new,c}', on_conflict => 'replace') AS ids;
SELECT payload, status, dedupe_key FROM regress.keys WHERE dedupe_key IN ('new', 'c');
