\set ECHO none
\i tests/pg_regress/fresh.sql
-- Controlling: concurrency_limit and rate_limit, as far as one session can see. Simultaneous claims are tested elsewhere.
CREATE FUNCTION regress.claim(entrypoints text[], batch_size int, worker uuid DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
SELECT string_agg(c, ', ' ORDER BY c)
  FROM (SELECT entrypoint || ' ' || count(*) AS c FROM pgq.dequeue($1, $2, $3) GROUP BY entrypoint) AS c
$$;
CREATE FUNCTION regress.one(entrypoint text) RETURNS bigint LANGUAGE sql AS $$
SELECT min(j.id) FROM pgq.jobs AS j WHERE j.entrypoint = $1 AND j.status = 'picked'
$$;

-- Without a limit, any number.
SELECT cardinality(pgq.enqueue_many_text('{free}', array_fill('x'::text, '{200}'))) AS enqueued;
SELECT regress.claim('{free}', 200);

-- Jobs picked at one time, over all workers: a large batch gets no more, and an entrypoint without limit fills it up.
SELECT pgq.configure('tight', concurrency_limit => 2, backoff_initial => '1 hour', backoff_max => '1 hour') IS NOT NULL AS configured;
SELECT cardinality(pgq.enqueue_many_text('{tight}', array_fill('x'::text, '{50}'), array_fill(9, '{50}'))) AS enqueued;
SELECT cardinality(pgq.enqueue_many_text('{wide}', array_fill('x'::text, '{20}'))) AS enqueued;
SELECT regress.claim('{tight,wide}', 10);
SELECT regress.claim('{tight}', 10), regress.claim('{tight}', 1, :'anna');
-- Every end of a claim makes room for one: complete, fail, retry, finish, release, cancel.
SELECT pgq.complete(regress.one('tight')), regress.claim('{tight}', 10) AS in_the_same_transaction;
SELECT regress.claim('{tight}', 10);
SELECT pgq.fail(regress.one('tight'));
SELECT regress.claim('{tight}', 10, :'anna');
SELECT pgq.retry(regress.one('tight'), '1 hour');
SELECT regress.claim('{tight}', 10), regress.claim('{tight}', 10, :'anna');
SELECT pgq.complete(id) OR pgq.complete(id, :'anna') AS completed FROM regress.one('tight') AS id;
SELECT regress.claim('{tight}', 10);
SELECT cardinality(pgq.finish(ARRAY[id], '{exception}') || pgq.finish(ARRAY[id], '{exception}', worker => :'anna')) AS finished FROM regress.one('tight') AS id;
SELECT regress.claim('{tight}', 10);
SELECT cardinality(pgq.release(ARRAY[id]) || pgq.release(ARRAY[id], :'anna')) AS released FROM regress.one('tight') AS id;
SELECT regress.claim('{tight}', 10);
SELECT cardinality(pgq.cancel(ARRAY[regress.one('tight')])) AS canceled;
SELECT regress.claim('{tight}', 10);
SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'tight' AND status = 'picked';
-- So does a claim that is rolled back.
SELECT cardinality(pgq.cancel(ARRAY(SELECT id FROM pgq.jobs WHERE status = 'picked'))) > 0 AS canceled;
BEGIN;
SELECT regress.claim('{tight}', 10);
ROLLBACK;
SELECT regress.claim('{tight}', 1), regress.claim('{tight}', 10);
-- A limit below what is picked hands out nothing until enough has ended; a higher one, and 0, count at once.
SELECT (pgq.configure('tight', concurrency_limit => 1)).concurrency_limit;
SELECT pgq.complete(regress.one('tight'));
SELECT regress.claim('{tight}', 10);
SELECT pgq.complete(regress.one('tight'));
SELECT regress.claim('{tight}', 10);
SELECT (pgq.configure('tight', concurrency_limit => 4)).concurrency_limit;
SELECT regress.claim('{tight}', 10);
SELECT (pgq.configure('tight', concurrency_limit => 0)).concurrency_limit;
SELECT regress.claim('{tight}', 5);
-- A limited job that waits does not keep back others of the call, whatever its priority; nor does it take their place.
SELECT (pgq.configure('high', concurrency_limit => 1)).concurrency_limit;
SELECT pgq.enqueue_many_text('{high,low,high,low}', '{a,b,c,d}', '{9,0,9,0}') IS NOT NULL AS enqueued;
SELECT regress.claim('{high,low}', 1), regress.claim('{high,low}', 1), regress.claim('{high,low}', 2);

-- rate_limit: claims per period over all workers.
SELECT rate_limit, rate_period FROM pgq.configure('rated', rate_limit => 3, rate_period => '1 hour');
SELECT cardinality(pgq.enqueue_many_text('{rated}', array_fill('x'::text, '{20}'))) AS enqueued;
SELECT regress.claim('{rated}', 2), regress.claim('{rated}', 10, :'anna'), regress.claim('{rated}', 10);
-- It counts claims, however they end.
SELECT pgq.complete(regress.one('rated')), cardinality(pgq.release(ARRAY(SELECT id FROM pgq.jobs WHERE entrypoint = 'rated'))) AS released;
SELECT regress.claim('{rated}', 10);
-- Another entrypoint fills the batch.
SELECT regress.claim('{rated,wide}', 2);
-- A claim that is rolled back has not been one.
SELECT rate_limit FROM pgq.configure('rated', rate_limit => 5);
BEGIN;
SELECT regress.claim('{rated}', 10);
ROLLBACK;
SELECT regress.claim('{rated}', 1), regress.claim('{rated}', 10), regress.claim('{rated}', 10);
-- A period that is over is over: between two statements more than a microsecond passes.
SELECT rate_limit FROM pgq.configure('rated', rate_limit => 2, rate_period => '1 microsecond');
SELECT regress.claim('{rated}', 10);
SELECT regress.claim('{rated}', 10);
-- 0 lifts it.
SELECT rate_limit FROM pgq.configure('rated', rate_limit => 0);
SELECT regress.claim('{rated}', 8);
-- Both limits at once: each holds.
SELECT rate_limit, concurrency_limit FROM pgq.configure('both', rate_limit => 3, rate_period => '1 hour', concurrency_limit => 2);
SELECT cardinality(pgq.enqueue_many_text('{both}', array_fill('x'::text, '{9}'))) AS enqueued;
SELECT regress.claim('{both}', 9);
SELECT cardinality(pgq.complete_many(ARRAY(SELECT id FROM pgq.jobs WHERE entrypoint = 'both'))) AS completed;
SELECT regress.claim('{both}', 9);
SELECT regress.claim('{both}', 9);
