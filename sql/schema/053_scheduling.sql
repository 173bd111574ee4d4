-- Scheduling.

CREATE FUNCTION pgq.schedule(
    name text, cron text, entrypoint text DEFAULT NULL, payload text DEFAULT NULL, timezone text DEFAULT 'UTC',
    priority int DEFAULT 0, headers jsonb DEFAULT NULL, catch_up text DEFAULT 'one', overlap boolean DEFAULT false,
    ordering_key text DEFAULT NULL, payload_bytes bytea DEFAULT NULL
) RETURNS bigint LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'schedule_wrapper';
COMMENT ON FUNCTION pgq.schedule(text, text, text, text, text, int, jsonb, text, boolean, text, bytea) IS
$$Makes a schedule, or changes the one of that name, and returns its id. From the commit on each tick enqueues one job, whose
headers say {"schedule": name, "scheduled_at": tick}. A change that leaves cron and timezone as they are keeps the beat; a
paused schedule stays paused.

name: 1 to 255 bytes. cron: five fields (minute, hour, day of month, month, day of week), six with the seconds last, or
@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly. entrypoint: the name, if not given. payload or
payload_bytes: that of its jobs. timezone: an IANA name. priority, headers, ordering_key: those of its jobs. catch_up: what
becomes of ticks that were missed while the server was down: skip, one (one job for all of them) or all (one each, at most
1000). overlap: whether a tick enqueues a job while the last one is still queued or picked.

Error: 22023 for a bad argument, which it names; for cron with the field and the position that could not be read.
Example: SELECT pgq.schedule('report', '30 6 * * mon-fri', timezone => 'Europe/Berlin')$$;

CREATE FUNCTION pgq.unschedule(name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'unschedule_wrapper';
COMMENT ON FUNCTION pgq.unschedule(text) IS
$$Removes a schedule. False where there is none. Jobs that it has enqueued stay.

name: the schedule.

Error: 22023 for NULL.
Example: SELECT pgq.unschedule('report')$$;

CREATE FUNCTION pgq.pause_schedule(name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_schedule_wrapper';
COMMENT ON FUNCTION pgq.pause_schedule(text) IS
$$From the commit on the schedule does not tick. False where there is none or it is paused already.

name: the schedule.

Error: 22023 for NULL.
Example: SELECT pgq.pause_schedule('report')$$;

CREATE FUNCTION pgq.resume_schedule(name text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_schedule_wrapper';
COMMENT ON FUNCTION pgq.resume_schedule(text) IS
$$Ends a pause: the schedule ticks from now on, and ticks of the pause are not made up for. False where there was none.

name: the schedule.

Error: 22023 for NULL.
Example: SELECT pgq.resume_schedule('report')$$;

CREATE FUNCTION pgq.cron_next(
    cron text, after timestamptz DEFAULT pg_catalog.now(), timezone text DEFAULT 'UTC', count int DEFAULT 1
) RETURNS SETOF timestamptz LANGUAGE c STABLE PARALLEL SAFE ROWS 1 AS 'MODULE_PATHNAME', 'cron_next_wrapper';
COMMENT ON FUNCTION pgq.cron_next(text, timestamptz, text, int) IS
$$The next times at which a cron expression ticks, each later than the one before; fewer where no more come until 2100.

cron, timezone: as in pgq.schedule. after: the first time is strictly later. count: how many, 1 to 100000.

Error: 22023 for a bad argument, which it names.
Example: SELECT * FROM pgq.cron_next('0 9 * * mon', timezone => 'America/New_York', count => 5)$$;

CREATE FUNCTION pgq.arm() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'arm_wrapper';
COMMENT ON FUNCTION pgq.arm() IS
$$Lets the schedules tick of a database that was restored or copied from another: from now on, ticks of the past are not made
up for. Until then none does, so that a copy for staging does not run production's schedules. False where they tick already.
CREATE EXTENSION arms, and pg_upgrade keeps it.
Example: SELECT pgq.arm()$$;

CREATE FUNCTION pgq.is_armed() RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'is_armed_wrapper';
COMMENT ON FUNCTION pgq.is_armed() IS 'Whether the schedules of this database tick: see pgq.arm. Internal: read pgq.health.';
