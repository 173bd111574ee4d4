\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: claims and ends in transactions and savepoints that are rolled back.
-- Here jobs are rolled back on purpose.
SET pgqueuer.rollback_delay = 0;
CREATE VIEW regress.inside AS
SELECT string_agg(id || ' ' || status || ' ' || attempts, ', ' ORDER BY id) AS jobs, (SELECT count(*) FROM pgq.job_log) AS logged FROM pgq.jobs;
-- Outside of a transaction also what memory holds.
CREATE VIEW regress.now AS SELECT *, (SELECT count(*) FROM pgq.claims()) AS claims FROM regress.inside;
SELECT pgq.configure('s', backoff_initial => '1 hour', backoff_max => '1 hour') IS NOT NULL AS configured;
SELECT pgq.enqueue_many_text('{s}', '{a,b,c,d,e}');

-- A claim made in a transaction that rolls back is given back.
BEGIN;
SELECT id FROM pgq.dequeue('{s}', 2);
SELECT * FROM regress.inside;
ROLLBACK;
SELECT * FROM regress.now;
-- One that errs rolls back as well.
BEGIN;
SELECT id FROM pgq.dequeue('{s}', 2);
SELECT 1 / 0;
COMMIT;
SELECT * FROM regress.now;
SELECT error_of('SELECT 1 / (id - 1) FROM pgq.dequeue(''{s}'', 2)') AS in_the_statement_itself;
SELECT * FROM regress.now;
-- A savepoint that is rolled back gives back what was claimed after it, and only that.
BEGIN;
SELECT id FROM pgq.dequeue('{s}');
SAVEPOINT one;
SELECT id FROM pgq.dequeue('{s}');
SAVEPOINT two;
SELECT id FROM pgq.dequeue('{s}');
ROLLBACK TO two;
SELECT * FROM regress.inside;
SELECT id FROM pgq.dequeue('{s}');
RELEASE two;
SELECT * FROM regress.inside;
ROLLBACK TO one;
SELECT * FROM regress.inside;
SELECT id FROM pgq.dequeue('{s}');
RELEASE one;
COMMIT;
SELECT * FROM regress.now;
-- What was claimed in a savepoint that is released belongs to the transaction.
BEGIN;
SAVEPOINT one;
SAVEPOINT two;
SELECT id FROM pgq.dequeue('{s}');
RELEASE two;
RELEASE one;
SELECT * FROM regress.inside;
ROLLBACK;
SELECT * FROM regress.now;

-- An end that is rolled back has not happened: the claim is held as before, and can be ended once more.
BEGIN;
SELECT pgq.complete(1), pgq.fail(2);
SELECT * FROM regress.inside;
-- In the same transaction it has: nobody ends a claim twice.
SELECT pgq.complete(1), pgq.fail(2), pgq.retry(1), pgq.release('{1,2}'), pgq.finish('{1,2}', '{failed,failed}');
ROLLBACK;
SELECT * FROM regress.now;
BEGIN;
SELECT pgq.release('{1}'), pgq.retry(2);
ROLLBACK;
SELECT * FROM regress.now;
BEGIN;
SELECT pgq.finish('{1,2}', '{exception,failed}');
ROLLBACK;
SELECT * FROM regress.now;
-- The same in savepoints: another end may follow.
BEGIN;
SAVEPOINT one;
SELECT pgq.fail(1);
ROLLBACK TO one;
SELECT pgq.retry(1);
ROLLBACK TO one;
SELECT pgq.release('{1}');
ROLLBACK TO one;
SELECT pgq.finish('{1}', '{failed}');
ROLLBACK TO one;
SELECT pgq.complete(1);
RELEASE one;
SAVEPOINT two;
SELECT pgq.complete(2);
ROLLBACK TO two;
COMMIT;
SELECT * FROM regress.now;
-- An exception block is a savepoint.
DO $$
BEGIN
    BEGIN
        PERFORM pgq.complete(2);
        RAISE EXCEPTION 'after all not';
    EXCEPTION WHEN raise_exception THEN
        RAISE NOTICE 'fail: %', pgq.fail(2, 'after all not');
    END;
END
$$;
SELECT * FROM regress.now;

-- Every end takes effect at the commit, not before: until then nobody gets the job, not even its own transaction.
SELECT id FROM pgq.dequeue('{s}');
BEGIN;
SELECT pgq.release('{3}');
SELECT id FROM pgq.dequeue('{s}', 10) WHERE id = 3;
COMMIT;
SELECT id FROM pgq.dequeue('{s}', 10);
-- Claimed and ended in one transaction, which is rolled back: nothing has happened.
SELECT pgq.release('{3,4,5}');
BEGIN;
SELECT pgq.complete(id) FROM pgq.dequeue('{s}');
SELECT * FROM regress.inside;
ROLLBACK;
SELECT * FROM regress.now;
-- Claimed outside, ended inside, claim of another inside.
SELECT id FROM pgq.dequeue('{s}');
BEGIN;
SELECT pgq.complete(3);
SELECT id FROM pgq.dequeue('{s}');
ROLLBACK;
SELECT * FROM regress.now;
SELECT pgq.complete(3);

-- Controlling in savepoints.
SELECT id FROM pgq.dequeue('{s}');
BEGIN;
SAVEPOINT one;
SELECT pgq.cancel('{4,5}');
SELECT * FROM regress.inside;
ROLLBACK TO one;
SELECT * FROM regress.inside;
SELECT pgq.complete(4);
COMMIT;
SELECT * FROM regress.now;

-- PREPARE TRANSACTION after claiming or finishing in it fails.
BEGIN;
SELECT id FROM pgq.dequeue('{s}');
PREPARE TRANSACTION 'claimed';
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM regress.now;
SELECT id FROM pgq.dequeue('{s}');
BEGIN;
SELECT pgq.complete(5);
PREPARE TRANSACTION 'completed';
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT pgq.release('{5}');
PREPARE TRANSACTION 'released';
\echo :LAST_ERROR_SQLSTATE
BEGIN;
SELECT pgq.fail(5);
PREPARE TRANSACTION 'failed';
\echo :LAST_ERROR_SQLSTATE
SELECT * FROM regress.now;
SELECT pgq.complete(5);
-- After producing and controlling alone it does not. (PostgreSQL itself prepares no transaction that has sent a NOTIFY.)
SET pgqueuer.notify = 'off';
BEGIN;
SELECT pgq.enqueue('s', 'prepared'), pgq.cancel('{2}'), pgq.configure('s', max_attempts => 3) IS NOT NULL AS configured;
PREPARE TRANSACTION 'produced';
SELECT * FROM regress.now;
COMMIT PREPARED 'produced';
SELECT * FROM regress.now;
SELECT pgq.payload_text(payload) FROM pgq.dequeue('{s}');
