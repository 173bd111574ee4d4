\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: where pgq.dequeue may stand, and what does not stop it.
SELECT cardinality(pgq.enqueue_many_text('{q}', ARRAY(SELECT n::text FROM generate_series(1, 50) AS n))) AS enqueued;
CREATE FUNCTION regress.claims() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    held bigint[] := ARRAY(SELECT c.id FROM pgq.claims() AS c);
BEGIN
    PERFORM pgq.release(held);
    RETURN cardinality(held) || ' claimed';
END
$$;

-- LIMIT, FETCH and EXPLAIN ANALYZE do not stop it: what is asked for is claimed.
SELECT id FROM pgq.dequeue('{q}', 3) LIMIT 1;
SELECT regress.claims();
SELECT id FROM pgq.dequeue('{q}', 3) WHERE id = 2;
SELECT regress.claims();
BEGIN;
DECLARE c CURSOR FOR SELECT id FROM pgq.dequeue('{q}', 3);
FETCH 1 FROM c;
COMMIT;
SELECT regress.claims();
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT id FROM pgq.dequeue('{q}', 3);
FETCH 1 FROM c;
COMMIT;
FETCH ALL FROM c;
CLOSE c;
SELECT regress.claims();
-- What EXPLAIN ANALYZE says differs between versions.
DO $$ BEGIN EXECUTE 'EXPLAIN ANALYZE SELECT id FROM pgq.dequeue(''{q}'', 3)'; END $$;
SELECT regress.claims();
-- EXPLAIN alone claims nothing.
EXPLAIN (COSTS OFF) SELECT id FROM pgq.dequeue('{q}', 3);
SELECT regress.claims();

-- It stands in FROM in every form that FROM has.
WITH d AS (SELECT id FROM pgq.dequeue('{q}', 2)) SELECT count(*) FROM d;
SELECT regress.claims();
SELECT count(*) FROM ROWS FROM (pgq.dequeue('{q}', 2), generate_series(1, 3)) WITH ORDINALITY;
SELECT regress.claims();
SELECT w, count(d.id) FROM (VALUES (1), (2)) AS v(w), LATERAL pgq.dequeue('{q}', v.w) AS d GROUP BY w ORDER BY w;
SELECT regress.claims();
SELECT (SELECT count(*) FROM pgq.dequeue('{q}', 2)) AS in_a_subquery;
SELECT regress.claims();
PREPARE untyped AS SELECT id FROM pgq.dequeue($1, $2);
EXECUTE untyped('{q}', '2');
EXECUTE untyped('{q,r}', 1);
SELECT regress.claims();
DO $$
DECLARE
    job pgq.jobs;
BEGIN
    FOR job IN SELECT * FROM pgq.dequeue('{q}', 2) LOOP
        RAISE NOTICE 'job % is %', job.id, job.status;
    END LOOP;
END
$$;
SELECT regress.claims();
-- And in an INSERT that takes its rows.
CREATE TABLE regress.mine (id bigint);
INSERT INTO regress.mine SELECT id FROM pgq.dequeue('{q}', 2);
SELECT regress.claims();

-- In a select list it fails with a hint, and claims nothing.
SELECT error_of($$SELECT pgq.dequeue('{q}')$$);
SELECT error_of($$SELECT (pgq.dequeue('{q}')).id$$);
SELECT error_of($$SELECT id, pgq.dequeue('{q}', 2) FROM regress.mine$$);
SELECT regress.claims();

-- In a READ ONLY transaction it fails, as do all calls that end a claim.
SELECT id FROM pgq.dequeue('{q}') \gset
BEGIN READ ONLY;
SELECT error_of($$SELECT * FROM pgq.dequeue('{q}')$$);
SELECT error_of(format($$SELECT pgq.complete(%s)$$, :id));
SELECT error_of(format($$SELECT pgq.complete_many('{%s}')$$, :id));
SELECT error_of(format($$SELECT pgq.fail(%s)$$, :id));
SELECT error_of(format($$SELECT pgq.retry(%s)$$, :id));
SELECT error_of(format($$SELECT pgq.finish('{%s}', '{successful}')$$, :id));
SELECT error_of(format($$SELECT pgq.release('{%s}')$$, :id));
SELECT error_of(format($$SELECT pgq.heartbeat('%s')$$, :'anna'));
SELECT count(*) AS looking_is_possible FROM pgq.jobs WHERE status = 'picked';
COMMIT;
-- Whoever only enqueues or controls writes rows, so these fail by themselves.
BEGIN READ ONLY;
SELECT error_of($$SELECT pgq.enqueue('q')$$) LIKE '25006:%' AS enqueue,
       error_of($$SELECT pgq.enqueue_many_text('{q}', '{a}')$$) LIKE '25006:%' AS enqueue_many,
       error_of($$SELECT pgq.cancel('{1}')$$) LIKE '25006:%' AS cancel,
       error_of($$SELECT pgq.pause('q')$$) LIKE '25006:%' AS pause;
COMMIT;

-- Every isolation level: the functions look with the newest snapshot.
SELECT regress.claims();
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT count(*) FROM pgq.jobs;
SELECT id FROM pgq.dequeue('{q}') \gset
SELECT pgq.complete(:id);
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(*) FROM pgq.jobs;
SELECT id FROM pgq.dequeue('{q}') \gset
SELECT pgq.fail(:id);
COMMIT;
SELECT outcome, count(*) FROM log GROUP BY 1 ORDER BY 1;
