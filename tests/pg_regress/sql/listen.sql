\set ECHO none
-- The database's worker may tell once more than it must, whenever it comes to it: not here.
ALTER DATABASE :"DBNAME" SET pgqueuer.notify = off;
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.listen and pgq.channel, and who is woken when.
-- With the transaction itself, so that each line comes in its place; tests/e2e/tests/wake.rs has the other ways.
SET pgqueuer.notify = transactional;

-- A channel is always a valid identifier, lower case, the same quoted and unquoted; another entrypoint has another.
SELECT pgq.channel('fetch');
SELECT e, c = lower(c) AND octet_length(c) < 64 AND c = quote_ident(c) AND c ~ '^[a-z_][a-z0-9_]*$' AS valid, c = pgq.channel(e) AS the_same_again
  FROM unnest(ARRAY['fetch', 'Fetch', 'FETCH', 'fetch-it', 'fetch it', 'fetch.it', '1', 'select', 'é', '"', '''', '\', '{fetch}', ' ', E'\n',
                    repeat('x', 59), repeat('x', 60), repeat('x', 255), repeat('é', 127)]) AS e, pgq.channel(e) AS c;
SELECT count(DISTINCT pgq.channel(e)) = count(*) AS all_different
  FROM unnest(ARRAY['fetch', 'Fetch', 'FETCH', 'fetch-it', 'fetch it', 'fetch_it', 'fetch.it', ' fetch', 'fetch ', 'x_f09c17a88c2e2e58535049b4d71ffe2f', 'pgq_fetch',
                    repeat('x', 59), repeat('x', 60), repeat('x', 254), repeat('x', 255)]) AS e;

-- listen LISTENs, and returns the channels' names, each once.
SELECT pgq.listen('{fetch,Parse It,fetch}') = pgq.channel('fetch');
SELECT count(*) = 2 AS two, bool_or(c = pgq.channel('Parse It')) AS the_second_too FROM pg_listening_channels() AS c;
SELECT * FROM pgq.listen(ARRAY['fetch']);
BEGIN;
SELECT pgq.listen('{given_up}');
ROLLBACK;
SELECT c FROM pg_listening_channels() AS c WHERE c LIKE '%given_up';
UNLISTEN *;

-- From here on notifications are shown without the process that sent them.
SELECT pgq.listen('{fetch}');
\o | sed 's/ from server process with PID [0-9]*//'
-- A worker is woken at the commit that enqueues, no earlier, once for each transaction.
SELECT 'enqueue' AS by, pgq.enqueue('fetch') IS NOT NULL;
SELECT 'enqueue_many' AS by, pgq.enqueue_many_text('{fetch,parse,fetch}', '{1,2,3}') IS NOT NULL;
BEGIN;
SELECT pgq.enqueue('fetch') IS NOT NULL, pgq.enqueue('fetch') IS NOT NULL;
SELECT 'before the commit' AS now;
COMMIT;
SELECT 'after the commit' AS now;
BEGIN;
SELECT pgq.enqueue('fetch') IS NOT NULL;
ROLLBACK;
SELECT 'a rollback wakes nobody' AS now;
SELECT 'another entrypoint does not either' AS now, pgq.enqueue('parse') IS NOT NULL;
-- INSERT and COPY wake too.
SELECT 'INSERT' AS by;
INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch'), ('fetch');
SELECT 'COPY' AS by;
COPY pgq.jobs (entrypoint) FROM STDIN;
fetch
fetch
\.
-- So does everything that changes when a job can be claimed: retry, requeue, reschedule, resume. Of what is given back the
-- database's worker tells, whenever it comes to it: not here.
SELECT 'dequeue wakes nobody' AS now, count(*) FROM pgq.dequeue('{fetch}', 5);
SELECT 'complete does not either' AS now, pgq.complete(1);
SELECT 'retry' AS by, pgq.retry(4);
SELECT 'finish' AS by, pgq.finish('{5}', '{failed}');
SELECT 'requeue' AS by, pgq.requeue('{5}');
SELECT 'reschedule' AS by, pgq.reschedule('{5}');
SELECT 'pause' AS by, pgq.pause('fetch');
SELECT 'resume' AS by, pgq.resume('fetch');
-- Whoever wants none says so.
SET pgqueuer.notify = 'off';
SELECT 'nobody, notify off' AS by, pgq.enqueue('fetch') IS NOT NULL;
SET pgqueuer.notify = 'transactional';
SELECT 'notify transactional' AS by, pgq.enqueue('fetch') IS NOT NULL;
RESET pgqueuer.notify;
-- A running worker learns of a cancel; that of a queued job tells nobody.
SELECT 'cancel, queued' AS by, pgq.cancel('{5}');
SELECT 'claimed' AS now, array_agg(id) FROM pgq.dequeue('{fetch}', 2, :'anna');
SELECT 'cancel, picked' AS by, pgq.cancel(ARRAY(SELECT id FROM pgq.jobs WHERE worker = :'anna' ORDER BY id));
BEGIN;
SELECT 'claimed' AS now, array_agg(id) FROM pgq.dequeue('{fetch}', 2, :'anna');
COMMIT;
BEGIN;
SELECT 'cancel, rolled back' AS by, pgq.cancel(ARRAY(SELECT id FROM pgq.jobs WHERE worker = :'anna' ORDER BY id));
ROLLBACK;
\o
SELECT 'the end' AS now;
\set ECHO none
ALTER DATABASE :"DBNAME" RESET pgqueuer.notify;
