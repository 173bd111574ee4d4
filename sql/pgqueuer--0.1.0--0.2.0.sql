-- From 0.1.0 to 0.2.0. What it leaves behind is what 0.2.0 installs: tests/e2e/tests/upgrade.rs compares the two.

-- A library that does not know the new functions cannot be asked for them, and would say no more than that.
DO $$
BEGIN
    IF pg_catalog.string_to_array(pgq.library_version(), '.')::int[] < '{0,2,0}' THEN
        RAISE EXCEPTION 'pgqueuer 0.2.0 needs its own library, and the server has loaded that of %', pgq.library_version()
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'Install the library of 0.2.0, restart the server, then ALTER EXTENSION pgqueuer UPDATE. Until then 0.1.0 goes on.';
    END IF;
END
$$;

-- A row that changes needs one where somebody publishes all tables, or pgq.arm would be refused.
ALTER TABLE pgq.installation REPLICA IDENTITY FULL;

-- A period of any length is one: too long for a point in time is as long as the log.
CREATE OR REPLACE FUNCTION pgq.throughput(
    period interval DEFAULT '1 hour',
    OUT entrypoint text, OUT status pgq.job_status, OUT minute timestamptz, OUT count bigint
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.entrypoint, l.outcome, pg_catalog.date_trunc('minute', l.finished), pg_catalog.count(*)
      FROM pgq.job_log AS l
     WHERE $1 IS NOT NULL AND l.finished > pg_catalog.now() - greatest(least($1, interval '1000 years'), interval '0')
       AND l.outcome NOT IN ('retried', 'released')
     GROUP BY 1, 2, 3 ORDER BY 3, 1, 2
$$;
CREATE OR REPLACE FUNCTION pgq.latency(
    period interval DEFAULT '1 hour', OUT entrypoint text, OUT count bigint,
    OUT wait_p50 interval, OUT wait_p95 interval, OUT wait_p99 interval, OUT wait_max interval,
    OUT run_p50 interval, OUT run_p95 interval, OUT run_p99 interval, OUT run_max interval
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    SELECT l.entrypoint, l.jobs, l.wait[1], l.wait[2], l.wait[3], l.wait[4], l.run[1], l.run[2], l.run[3], l.run[4]
      FROM (SELECT l.entrypoint, pg_catalog.count(*) AS jobs,
                   pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY l.picked - l.created) AS wait,
                   pg_catalog.percentile_cont(ARRAY[0.5, 0.95, 0.99, 1]) WITHIN GROUP (ORDER BY l.finished - l.picked) AS run
              FROM pgq.job_log AS l
             WHERE $1 IS NOT NULL AND l.finished > pg_catalog.now() - greatest(least($1, interval '1000 years'), interval '0')
               AND l.outcome = 'successful'
             GROUP BY l.entrypoint) AS l
     ORDER BY l.entrypoint
$$;

-- Importing: jobs and schedules that another queue has begun with, as they are: how old, how often tried, when next.

CREATE FUNCTION pgq.import_jobs(
    entrypoints text[], payloads bytea[], priorities int[] DEFAULT NULL, execute_after timestamptz[] DEFAULT NULL,
    dedupe_keys text[] DEFAULT NULL, on_conflict text DEFAULT 'raise', headers jsonb[] DEFAULT NULL,
    ordering_keys text[] DEFAULT NULL, created timestamptz[] DEFAULT NULL, attempts int[] DEFAULT NULL,
    failed timestamptz[] DEFAULT NULL, errors jsonb[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'import_jobs_wrapper';
COMMENT ON FUNCTION pgq.import_jobs(text[], bytea[], int[], timestamptz[], text[], text, jsonb[], text[], timestamptz[], int[], timestamptz[], jsonb[]) IS
$$Takes over jobs of another queue, all or none; returns their ids in that order, NULL where one was skipped. For administrators:
pgq import calls it.

entrypoints, payloads, priorities, execute_after, dedupe_keys, headers, ordering_keys: as of pgq.enqueue_many. on_conflict: raise
or skip. created: when each was enqueued; NULL for now. attempts: how many earlier attempts there were, all of which failed; NULL
for none. failed: since when a job is held as failed; NULL for one that is queued. errors: what the last attempt of one that is
held said, for the log.

Errors: 22023 for a bad argument, which it names; 23505 for a key that is taken.
Example: SELECT pgq.import_jobs('{fetch}', ARRAY['\x01']::bytea[], created => ARRAY[now() - interval '1 day'], attempts => '{2}')$$;

CREATE FUNCTION pgq.import_schedule(
    name text, cron text, entrypoint text, next_tick timestamptz DEFAULT NULL, last_tick timestamptz DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'import_schedule_wrapper';
COMMENT ON FUNCTION pgq.import_schedule(text, text, text, timestamptz, timestamptz) IS
$$Takes over a schedule of another scheduler, in UTC; returns its id, NULL where there is one of that name. For administrators:
pgq import calls it.

name, cron, entrypoint: as of pgq.schedule. next_tick: the first tick for which nothing was done; NULL for the next one. If it has
passed, one job is enqueued at once, for all that have. A time beside the ticks of the expression counts as the tick that follows
within or after the two seconds before it: clocks differ. last_tick: the last one for which something was done; NULL for none.

Errors: 22023 for a bad argument, which it names.
Example: SELECT pgq.import_schedule('report', '0 6 * * *', 'report', next_tick => '2030-01-01 06:00+00')$$;
REVOKE ALL ON FUNCTION
    pgq.import_jobs(text[], bytea[], int[], timestamptz[], text[], text, jsonb[], text[], timestamptz[], int[], timestamptz[], jsonb[]),
    pgq.import_schedule(text, text, text, timestamptz, timestamptz) FROM PUBLIC;

CREATE OR REPLACE FUNCTION pgq.grant_admin(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.grant_producer(role), pgq.grant_worker(role), pgq.grant_monitor(role);
    PERFORM pgq.give(role, '{cancel,delete,clear,requeue,reschedule,pause,resume,configure,schedule,unschedule,pause_schedule,resume_schedule,import_jobs,import_schedule,arm,set_durability,grant_producer,grant_worker,grant_monitor,grant_admin,revoke_all}');
END
$$;

-- pg_dump of 12 to 14 crashes over tables that are members of an extension, dumped with it, and partitions: it looks for their
-- parents only where there is something else to dump of them, and goes on as if it had found them. What keeps it from that is a
-- privilege that was given when the extension was made and has been taken since. None is: of the partitions of the log it is noted
-- that pg_monitor could read them, so that a dump says REVOKE, which changes nothing where it is restored.

DELETE FROM pg_catalog.pg_init_privs AS p
 USING pg_catalog.pg_class AS c
 WHERE p.objoid = c.oid AND p.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass AND p.objsubid = 0
   AND c.relnamespace = 'pgq'::pg_catalog.regnamespace AND c.relispartition AND c.relkind = 'r'
   AND pg_catalog.current_setting('server_version_num')::int < 150000;
INSERT INTO pg_catalog.pg_init_privs (objoid, classoid, objsubid, privtype, initprivs)
SELECT c.oid, 'pg_catalog.pg_class'::pg_catalog.regclass, 0, 'e',
       coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))
       || pg_catalog.makeaclitem('pg_monitor'::pg_catalog.regrole, c.relowner, 'SELECT', false)
  FROM pg_catalog.pg_class AS c
 WHERE c.relnamespace = 'pgq'::pg_catalog.regnamespace AND c.relispartition AND c.relkind = 'r'
   AND pg_catalog.current_setting('server_version_num')::int < 150000;
