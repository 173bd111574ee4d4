\set ECHO none
\i tests/pg_regress/fresh.sql
-- Producing: plain INSERT INTO pgq.jobs and COPY pgq.jobs FROM. What wakes workers is in listen.

INSERT INTO pgq.jobs (entrypoint, payload) VALUES ('fetch', 'one'), ('fetch', '\x00ff');
INSERT INTO pgq.jobs (entrypoint) SELECT 'fetch' FROM generate_series(1, 2);
SELECT id, entrypoint, payload, headers, priority, status, attempts, worker, execute_after = created AS at_once,
       created BETWEEN now() - interval '1 min' AND clock_timestamp() AS is_new, picked, dedupe_key, ordering_key
  FROM pgq.jobs ORDER BY id;

-- RETURNING gives what the queue has filled in.
INSERT INTO pgq.jobs (entrypoint, payload) VALUES ('fetch', 'five'), ('parse', 'six') RETURNING id, entrypoint, status, priority, attempts;
INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch')
    RETURNING created = execute_after AS at_once, created BETWEEN now() - interval '1 min' AND clock_timestamp() AS is_new, worker, picked;

-- Every column that is the producer's can be given; NULL means the default.
INSERT INTO pgq.jobs (entrypoint, payload, headers, priority, created, execute_after, dedupe_key, ordering_key)
VALUES ('all', 'p', '{"n": 1}', 3, '2001-01-01 00:00+00', '2002-01-01 00:00+00', 'k', 'o')
RETURNING id, entrypoint, payload, headers, priority, status, attempts, worker, created = '2001-01-01 00:00+00' AS created_then,
          execute_after = '2002-01-01 00:00+00' AS starts_then, picked, dedupe_key, ordering_key;
INSERT INTO pgq.jobs (entrypoint, payload, headers, priority, created, execute_after, dedupe_key, ordering_key, id, status, attempts, worker, picked)
VALUES ('nulls', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), ('nulls', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
SELECT id, payload, headers, priority, status, attempts, execute_after = created AS at_once, dedupe_key, ordering_key
  FROM pgq.jobs WHERE entrypoint = 'nulls' ORDER BY id;
INSERT INTO pgq.jobs (entrypoint, execute_after) VALUES ('deferred', 'infinity');
SELECT * FROM pgq.dequeue('{deferred}');
-- They are jobs like others: claimed and completed.
SELECT id, entrypoint FROM pgq.dequeue('{all,parse}', 2);
SELECT pgq.complete_many('{6,8}');

-- COPY FROM, with the columns one likes.
COPY pgq.jobs (entrypoint, payload) FROM STDIN;
copied	eleven
copied	\\x00ff
copied	\N
\.
COPY pgq.jobs (entrypoint, payload, headers, priority, execute_after, dedupe_key, ordering_key) FROM STDIN WITH (FORMAT csv);
copied,fourteen,"{""n"": 14}",2,2040-01-01 00:00+00,key,order
copied,fifteen,,,,,
\.
SELECT id, payload, headers, priority, status, attempts, execute_after = created AS at_once, dedupe_key, ordering_key
  FROM pgq.jobs WHERE entrypoint = 'copied' ORDER BY id;

-- The columns of a claim, and the id, can't be given.
SELECT error_of($$INSERT INTO pgq.jobs (id, entrypoint) VALUES (100, 'fetch')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, status) VALUES ('fetch', 'queued')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, attempts) VALUES ('fetch', 0)$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, worker) VALUES ('fetch', 'aaaaaaaa-0000-0000-0000-000000000001')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, picked) VALUES ('fetch', now())$$);
COPY pgq.jobs (entrypoint, status) FROM STDIN;
fetch	picked
\.
-- The errors are those of pgq.enqueue, and a statement that fails inserts nothing.
SELECT error_of($$INSERT INTO pgq.jobs (payload) VALUES ('no entrypoint')$$);
SELECT error_of($$INSERT INTO pgq.jobs DEFAULT VALUES$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint) VALUES ('fine'), ('')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint) VALUES (repeat('x', 256))$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, headers) VALUES ('fetch', '[]')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, created) VALUES ('fetch', '-infinity')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, created) VALUES ('fetch', 'infinity')$$);
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, dedupe_key) VALUES ('fetch', 'key')$$);
COPY pgq.jobs (entrypoint, dedupe_key) FROM STDIN;
fine	fine
fetch	key
\.
-- ON CONFLICT is no way around a key.
SELECT error_of($$INSERT INTO pgq.jobs (entrypoint, dedupe_key) VALUES ('fetch', 'key') ON CONFLICT DO NOTHING$$);
SELECT entrypoint, count(*) FROM pgq.jobs GROUP BY 1 ORDER BY 1;

-- UPDATE and DELETE are refused with a hint.
SELECT error_of($$UPDATE pgq.jobs SET priority = 1$$);
SELECT error_of($$UPDATE pgq.jobs SET status = 'queued' WHERE id = 1$$);
SELECT error_of($$DELETE FROM pgq.jobs$$);
SELECT error_of($$DELETE FROM pgq.jobs WHERE id = 1$$);
SELECT count(*) FROM pgq.jobs;
-- Also where there is no row to change: whoever tries it learns of it at once, not when the first job is there.
SELECT error_of($$UPDATE pgq.jobs SET priority = 1 WHERE false$$);
SELECT error_of($$DELETE FROM pgq.jobs WHERE false$$);
