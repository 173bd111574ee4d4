\set ECHO none
\i tests/pg_regress/fresh.sql
-- Hostile names: what is allowed as an entrypoint or a key is taken as it is, by every verb.
CREATE TABLE regress.names (n int GENERATED ALWAYS AS IDENTITY, name text COLLATE "C" UNIQUE);
INSERT INTO regress.names (name) VALUES
    ('plain'), ('Plain'), ('PLAIN'), (' '), (' plain'), ('plain '), ('two words'), ('a.b'), ('a-b'), ('a/b:c@d'), ('select'), ('public'),
    (''''), (''''''), ('"'), ('"plain"'), ('\'), ('\\'), ('\n'), (E'\n'), (E'tab\there'), (E'\x01'), ('$1'), ('$$'), ('%s %I'), ('*'), ('_'), ('%'),
    ('{}'), ('{plain}'), ('{"plain"}'), ('plain,other'), ('NULL'), ('null'), ('''; DROP TABLE pgq.job; --'),
    ('é'), (U&'e\0301'), ('É'), ('naïve €'), ('日本語'), ('𝄞'), ('שלום'), (U&'\200B'), (U&'\FFFD'),
    (repeat('x', 255)), (repeat('X', 255)), (repeat('é', 127) || 'x'), (repeat('𝄞', 63) || 'xyz'), (repeat('''', 255)), (repeat('\', 255)), (repeat('{', 255));
SELECT count(*), max(octet_length(name)) FROM regress.names;

-- Enqueued four ways, each comes out under its own name and under no other.
SELECT count(pgq.enqueue(name, name, headers => jsonb_build_object(name, name))) FROM regress.names;
SELECT count(*) FROM pgq.enqueue_many_text(ARRAY(SELECT name FROM regress.names ORDER BY n), ARRAY(SELECT name FROM regress.names ORDER BY n)) AS ids, unnest(ids);
INSERT INTO pgq.jobs (entrypoint, payload) SELECT name, convert_to(name, 'UTF8') FROM regress.names;
COPY pgq.jobs (entrypoint, payload) FROM STDIN WITH (FORMAT csv);
"copied "" ' \ {}","copied "" ' \\ {}"
\.
SELECT entrypoint, pgq.payload_text(payload) FROM pgq.jobs WHERE entrypoint LIKE 'copied%';
SELECT count(*) AS jobs, count(*) FILTER (WHERE d.entrypoint <> name) AS under_another_name, count(*) FILTER (WHERE pgq.payload_text(d.payload) <> name) AS of_another_name
  FROM regress.names, LATERAL pgq.dequeue(ARRAY[name], 100) AS d;
SELECT count(*) AS differing FROM pgq.jobs WHERE headers IS NOT NULL AND headers <> jsonb_build_object(entrypoint, entrypoint);
-- Ended and logged under it.
SELECT cardinality(pgq.complete_many(ARRAY(SELECT id FROM pgq.jobs))) AS completed;
SELECT entrypoint, count(*) FROM pgq.job_log GROUP BY 1 HAVING count(*) <> 3 OR entrypoint NOT IN (SELECT name FROM regress.names);
SELECT count(*) AS differing FROM regress.names LEFT JOIN pgq.throughput() AS t ON t.entrypoint = name GROUP BY name HAVING sum(t.count) IS DISTINCT FROM 3;
SELECT count(*) FROM regress.names JOIN pgq.latency() AS l ON l.entrypoint = name;
SELECT pgq.clear();

-- Settings, pauses, clearing: of this entrypoint only.
SELECT count(*) FROM regress.names, LATERAL pgq.configure(name, concurrency_limit => n);
SELECT count(*) FROM regress.names JOIN pgq.entrypoints ON entrypoint = name AND concurrency_limit = n;
SELECT bool_and(pgq.pause(name)) AS paused FROM regress.names;
SELECT count(pgq.enqueue(name)) FROM regress.names;
SELECT count(*) FROM pgq.dequeue(ARRAY(SELECT name FROM regress.names), 1000);
SELECT bool_and(pgq.resume(name)) AS resumed FROM regress.names WHERE n % 2 = 0;
SELECT count(*) = (SELECT count(*) FROM regress.names WHERE n % 2 = 0) AS those_resumed, bool_and(n % 2 = 0) AS and_no_other
  FROM pgq.dequeue(ARRAY(SELECT name FROM regress.names), 1000) JOIN regress.names ON entrypoint = name;
SELECT count(*) = (SELECT count(*) FROM regress.names) AS all_of_them FROM pgq.queue_size() JOIN regress.names ON entrypoint = name;
SELECT sum(pgq.clear(ARRAY[name])) = count(*) AS one_each FROM regress.names WHERE n % 2 = 1;
SELECT cardinality(pgq.complete_many(ARRAY(SELECT id FROM pgq.jobs))) = (SELECT count(*) FROM regress.names WHERE n % 2 = 0) AS completed;
SELECT count(DISTINCT pgq.channel(name)) = count(*) AS channels FROM regress.names;
BEGIN;
SELECT count(*) = (SELECT count(*) FROM regress.names) AS listening FROM pgq.listen(ARRAY(SELECT name FROM regress.names));
ROLLBACK;

-- Keys: each is taken by itself and by no other.
SELECT count(pgq.enqueue('keys', name, dedupe_key => name, ordering_key => name)) = count(*) AS enqueued FROM regress.names;
SELECT count(pgq.enqueue('keys', 'twice', dedupe_key => name, on_conflict => 'skip')) FROM regress.names;
SELECT count(pgq.enqueue('keys', name, dedupe_key => name, on_conflict => 'replace', ordering_key => name)) = count(*) AS replaced FROM regress.names;
SELECT count(*) AS wrong FROM regress.names WHERE error_of(format('SELECT pgq.enqueue(%L, dedupe_key => %L)', name, name)) NOT LIKE '23505%';
SELECT error_of(format('SELECT pgq.enqueue(%L, dedupe_key => %L)', 'keys', name)) FROM regress.names WHERE name IN ('"', '''', '\', '{plain}', 'naïve €') ORDER BY n;
SELECT count(pgq.enqueue('keys', 'second', ordering_key => name)) = count(*) AS enqueued FROM regress.names;
SELECT count(*) = (SELECT count(*) FROM regress.names) AS one_of_each_key, count(*) FILTER (WHERE pgq.payload_text(payload) <> ordering_key) AS second_before_first
  FROM pgq.dequeue('{keys}', 1000);
-- The longest keys.
SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs)) IS NOT NULL AS emptied;
SELECT pgq.enqueue(repeat('y', 255), dedupe_key => repeat('y', 2000), ordering_key => repeat('z', 2000)) IS NOT NULL AS enqueued;
SELECT octet_length(entrypoint), octet_length(dedupe_key), octet_length(ordering_key) FROM pgq.dequeue(ARRAY[repeat('y', 255)]);
-- Incompressible ones, as long as they may be.
SELECT string_agg(md5(n::text), '') AS long FROM generate_series(1, 63) AS n \gset
SELECT pgq.enqueue(left(:'long', 255), dedupe_key => left(:'long', 2000), ordering_key => left(:'long', 2000)) IS NOT NULL AS enqueued;
SELECT ordering_key = left(:'long', 2000) AS same FROM pgq.dequeue(ARRAY[left(:'long', 255)]);
-- An empty key is a key.
SELECT pgq.enqueue('empty', dedupe_key => '') IS NOT NULL AS first, pgq.enqueue('empty', dedupe_key => '', on_conflict => 'skip') IS NULL AS second_skipped;
