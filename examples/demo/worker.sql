-- One worker: takes up to five jobs, works on each, says how it ended; where there is none it sleeps until there is one or
-- nothing is left.
SET client_min_messages = error;
DO $$
DECLARE
    jobs pgq.jobs[];
    job  pgq.jobs;
    ready boolean;
BEGIN
    LOOP
        SELECT array_agg(d) INTO jobs FROM pgq.dequeue('{fetch,mail,parse,broken,ledger,later}', 5) AS d;
        COMMIT;
        IF jobs IS NULL THEN
            EXIT WHEN NOT EXISTS (SELECT FROM pgq.jobs WHERE status IN ('queued', 'picked'));
            CALL pgq.wait('{fetch,mail,parse,broken,ledger,later}', '200 ms', ready);
            CONTINUE;
        END IF;
        FOREACH job IN ARRAY jobs LOOP
            INSERT INTO demo_in_flight
            SELECT job.entrypoint, count(*), job.picked < job.execute_after FROM pgq.jobs WHERE entrypoint = job.entrypoint AND status = 'picked';
            PERFORM pg_sleep(0.005 + random() * 0.02);
            IF job.entrypoint = 'ledger' THEN
                INSERT INTO demo_ledger (account, entry)
                VALUES (job.ordering_key, (pgq.payload_json(job.payload)->>'entry')::int);
            END IF;
            IF job.entrypoint = 'broken' OR (job.entrypoint = 'parse' AND job.attempts = 0) THEN
                PERFORM pgq.fail(job.id, format('%s %s: no luck', job.entrypoint, pgq.payload_text(job.payload)));
            ELSE
                PERFORM pgq.complete(job.id);
            END IF;
            COMMIT;
        END LOOP;
    END LOOP;
END
$$;
