\set ECHO none
\i tests/pg_regress/fresh.sql
-- Consuming: pgq.fail, with the settings max_attempts, backoff_initial, backoff_multiplier, backoff_max, on_failure.

-- Fails a job again and again until it is given up. It is called back at once each time, so that nobody waits.
CREATE PROCEDURE regress.fail_until_the_end(job bigint) LANGUAGE plpgsql AS $$
DECLARE
    asked text[] := ARRAY(SELECT j.entrypoint FROM pgq.jobs AS j WHERE j.id = job);
    attempt int;
    answer pgq.job_status;
    delay numeric;
BEGIN
    LOOP
        SELECT d.attempts INTO STRICT attempt FROM pgq.dequeue(asked) AS d WHERE d.id = job;
        COMMIT;
        answer := pgq.fail(job, 'attempt ' || attempt);
        COMMIT;
        SELECT round(extract(epoch FROM j.execute_after - l.finished)::numeric, 1) INTO delay
          FROM pgq.jobs AS j, pgq.job_log AS l WHERE j.id = job AND l.job_id = job AND l.attempts = attempt;
        RAISE NOTICE 'attempt %: %', attempt, concat_ws(', next start after s: ', answer, CASE WHEN answer = 'queued' THEN delay END);
        EXIT WHEN answer <> 'queued';
        PERFORM pgq.reschedule(ARRAY[job]);
        COMMIT;
    END LOOP;
END
$$;

-- The defaults: five attempts, delays of 1 s, doubled each time, then held as failed.
SELECT pgq.enqueue('fetch', 'poison', 3, dedupe_key => 'k', headers => '{"n": 1}');
CALL regress.fail_until_the_end(1);
-- The row stays until requeued or deleted, as it was, without a worker; attempts tells how many there were.
SELECT id, entrypoint, pgq.payload_text(payload), headers, priority, status, attempts, worker, picked, dedupe_key FROM pgq.jobs;
-- One row in the log for every attempt.
SELECT * FROM log;
-- A failed one is not handed out, and nobody holds it.
SELECT id FROM pgq.dequeue('{fetch}', 10);
SELECT pgq.fail(1);

-- Between attempts the job is queued and not due.
SELECT pgq.configure('patient', backoff_initial => '1 hour', backoff_max => '1 day') IS NOT NULL AS configured;
SELECT pgq.enqueue('patient');
SELECT id FROM pgq.dequeue('{patient}');
SELECT pgq.fail(2, 'not yet');
SELECT id, status, attempts, worker, picked, execute_after > now() AS waits FROM pgq.jobs WHERE id = 2;
SELECT id FROM pgq.dequeue('{patient}');
SELECT pgq.clear();

-- min(max, initial · multiplierⁿ), n from 0.
SELECT pgq.configure('slow', max_attempts => 6, backoff_initial => '10 s', backoff_multiplier => 3, backoff_max => '200 s') IS NOT NULL AS configured;
SELECT pgq.enqueue('slow');
CALL regress.fail_until_the_end(3);
-- No delay, a delay that does not grow, a maximum below the first delay, and numbers beyond all bounds.
SELECT pgq.configure('none', max_attempts => 3, backoff_initial => '0') IS NOT NULL,
       pgq.configure('flat', max_attempts => 3, backoff_initial => '7 s', backoff_multiplier => 1) IS NOT NULL,
       pgq.configure('capped', max_attempts => 3, backoff_initial => '1 hour', backoff_max => '5 s') IS NOT NULL,
       pgq.configure('huge', max_attempts => 3, backoff_initial => '1 day', backoff_multiplier => 1e300, backoff_max => '40 days') IS NOT NULL;
SELECT pgq.enqueue_many_text('{none,flat,capped,huge}', '{a,b,c,d}') AS ids;
CALL regress.fail_until_the_end(4);
CALL regress.fail_until_the_end(5);
CALL regress.fail_until_the_end(6);
CALL regress.fail_until_the_end(7);

-- The longest delay there can be.
SELECT pgq.configure('endless', backoff_initial => '100 years', backoff_max => '100 years', backoff_multiplier => 1.7976931348623157e308) IS NOT NULL AS configured;
SELECT pgq.enqueue('endless');
SELECT pgq.fail(id) FROM pgq.dequeue('{endless}');
SELECT status, attempts, execute_after > now() + interval '98 years' AS far_away FROM pgq.jobs WHERE id = 8;
SELECT pgq.reschedule('{8}');
SELECT pgq.fail(id) FROM pgq.dequeue('{endless}');
SELECT status, attempts, execute_after > now() + interval '98 years' AS far_away FROM pgq.jobs WHERE id = 8;

-- max_attempts 1: never retried. on_failure delete: the row goes, the log says exception.
SELECT pgq.configure('once', max_attempts => 1) IS NOT NULL, pgq.configure('gone', max_attempts => 2, on_failure => 'delete') IS NOT NULL;
SELECT pgq.enqueue('once'), pgq.enqueue('gone');
CALL regress.fail_until_the_end(9);
CALL regress.fail_until_the_end(10);
SELECT id, status FROM queue WHERE id IN (9, 10);
SELECT * FROM log WHERE job_id IN (9, 10);
-- A setting counts from when it is made: the job has failed once, and that is enough now.
SELECT pgq.enqueue('changed');
SELECT pgq.fail(id) FROM pgq.dequeue('{changed}');
SELECT pgq.configure('changed', max_attempts => 2, on_failure => 'delete') IS NOT NULL AS configured, pgq.reschedule('{11}');
SELECT pgq.fail(id) FROM pgq.dequeue('{changed}');

-- Only failed attempts count against max_attempts: not those that asked for a retry or were released.
SELECT pgq.configure('counted', max_attempts => 2) IS NOT NULL AS configured;
SELECT pgq.enqueue('counted');
SELECT attempts, pgq.retry(id) FROM pgq.dequeue('{counted}');
SELECT attempts, pgq.retry(id) FROM pgq.dequeue('{counted}');
SELECT attempts, pgq.release(ARRAY[id]) FROM pgq.dequeue('{counted}');
SELECT attempts, pgq.fail(id) FROM pgq.dequeue('{counted}');
SELECT pgq.reschedule('{12}');
SELECT attempts, pgq.fail(id) FROM pgq.dequeue('{counted}');
SELECT id, status, attempts FROM queue WHERE id = 12;

-- The error: text is kept as a JSON string, json and jsonb as they are; none is NULL.
SELECT pgq.configure('errors', max_attempts => 1, on_failure => 'delete') IS NOT NULL AS configured;
SELECT pgq.enqueue_many_text('{errors}', array_fill(''::text, '{7}')) AS ids;
SELECT id FROM pgq.dequeue('{errors}', 7);
SELECT pgq.fail(13), pgq.fail(14, E'say "no"\n\\ é'), pgq.fail(15, '{"code": 503}'::json), pgq.fail(16, '{"code": 504}'::jsonb),
       pgq.fail(17, error_json => '{"code":  505}'), pgq.fail(18, error_jsonb => '[1, null]'), pgq.fail(19, error => NULL);
SELECT job_id, error, jsonb_typeof(error) FROM log WHERE job_id BETWEEN 13 AND 19 ORDER BY job_id;
-- An untyped parameter is text.
PREPARE untyped AS SELECT pgq.fail($1, $2);
SELECT pgq.enqueue('errors');
SELECT id FROM pgq.dequeue('{errors}');
EXECUTE untyped('20', '{"code": 503}');
SELECT jsonb_typeof(error) FROM log WHERE job_id = 20;

-- NULL: not yours.
SELECT pgq.fail(20), pgq.fail(99, 'boom');
