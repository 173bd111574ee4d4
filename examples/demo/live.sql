-- One worker that waits: for ticks of a schedule, a deferred job, and the job of a worker that was killed. It notes when it
-- got each, and how late that was.
SET client_min_messages = error;
DO $$
DECLARE
    job   pgq.jobs;
    ready boolean;
BEGIN
    WHILE NOT EXISTS (SELECT FROM demo_seen WHERE entrypoint = 'beat' OFFSET 4) OR (SELECT count(DISTINCT entrypoint) FROM demo_seen) < 3 LOOP
        CALL pgq.wait('{beat,timer,slow}', '5 s', ready);
        FOR job IN SELECT * FROM pgq.dequeue('{beat,timer,slow}', 10) LOOP
            INSERT INTO demo_seen
            SELECT job.entrypoint, job.attempts, clock_timestamp(),
                   CASE job.entrypoint WHEN 'beat' THEN (job.headers->>'scheduled_at')::timestamptz
                                       WHEN 'timer' THEN job.execute_after
                                       WHEN 'slow' THEN (SELECT k.at FROM demo_killed AS k) END;
            PERFORM pgq.complete(job.id);
        END LOOP;
        COMMIT;
    END LOOP;
END
$$;
