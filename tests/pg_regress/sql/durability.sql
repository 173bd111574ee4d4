\set ECHO none
\i tests/pg_regress/fresh.sql
-- Operating: pgq.set_durability. durable: all logged; balanced: the log unlogged; volatile: all unlogged.
CREATE VIEW regress.persistence AS
SELECT CASE WHEN relname LIKE 'job\_log%' THEN 'the log' WHEN relname = 'job' THEN 'jobs' ELSE 'the rest' END AS tables, string_agg(DISTINCT relpersistence::text, '') AS persistence
  FROM pg_class WHERE relnamespace = 'pgq'::regnamespace AND relkind = 'r' AND relname <> 'installation' GROUP BY 1 ORDER BY 1;
SELECT * FROM regress.persistence;

-- One job in each state, and one in the log; a claim is held all along.
SELECT pgq.enqueue_many_text('{d}', '{ended,held,failed,queued}');
SELECT count(*) FROM pgq.dequeue('{d}', 3);
SELECT pgq.complete(1), pgq.finish('{3}', '{failed}');
SELECT pgq.configure('d', max_attempts => 7) IS NOT NULL AS configured;
CREATE VIEW regress.kept AS SELECT (SELECT string_agg(id || ' ' || status, ', ' ORDER BY id) FROM pgq.jobs) AS jobs, (SELECT count(*) FROM pgq.job_log) AS logged, (SELECT max_attempts FROM pgq.entrypoints);
SELECT * FROM regress.kept;

SELECT pgq.set_durability('balanced');
SELECT * FROM regress.persistence;
SELECT * FROM regress.kept;
SELECT pgq.set_durability('volatile');
SELECT * FROM regress.persistence;
SELECT * FROM regress.kept;
-- It goes on working.
SELECT pgq.enqueue('d', 'new') IS NOT NULL AS enqueued, pgq.complete(2);
SELECT id, pgq.fail(id) FROM pgq.dequeue('{d}');
SELECT * FROM regress.kept;
SELECT pgq.set_durability('durable');
SELECT * FROM regress.persistence;
SELECT * FROM regress.kept;
-- From each to each, and to the same again.
SELECT pgq.set_durability('volatile'), pgq.set_durability('balanced'), pgq.set_durability('balanced');
SELECT * FROM regress.persistence;
SELECT pgq.set_durability(level => 'durable'), pgq.set_durability('durable');
SELECT * FROM regress.persistence;
SELECT * FROM regress.kept;
-- Transactional.
BEGIN;
SELECT pgq.set_durability('volatile');
ROLLBACK;
SELECT * FROM regress.persistence;

-- Another word: 22023 with the allowed ones.
SELECT error_of($$SELECT pgq.set_durability('fsync')$$);
SELECT error_of($$SELECT pgq.set_durability('Durable')$$);
SELECT error_of($$SELECT pgq.set_durability('')$$);
SELECT error_of($$SELECT pgq.set_durability(NULL)$$);
SELECT * FROM regress.persistence;
