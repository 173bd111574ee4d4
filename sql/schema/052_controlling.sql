-- Controlling.

CREATE FUNCTION pgq.cancel(ids bigint[]) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'cancel_wrapper';
COMMENT ON FUNCTION pgq.cancel(bigint[]) IS
$$Ends queued, picked and failed jobs as canceled; returns those it ended. Who holds one learns of it by a notification on
the entrypoint's channel and by pgq.heartbeat, and can finish it no more.

ids: the jobs.

Error: 22023 for NULL ids.
Example: SELECT pgq.cancel('{1,2}')$$;

CREATE FUNCTION pgq.delete(ids bigint[]) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'delete_wrapper';
COMMENT ON FUNCTION pgq.delete(bigint[]) IS
$$Ends queued and failed jobs as deleted; returns those it ended. Picked ones are left alone.

ids: the jobs.

Error: 22023 for NULL ids.
Example: SELECT pgq.delete('{1,2}')$$;

CREATE FUNCTION pgq.clear(entrypoints text[] DEFAULT NULL) RETURNS bigint
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'clear_wrapper';
COMMENT ON FUNCTION pgq.clear(text[]) IS
$$Ends all queued jobs as deleted; returns how many.

entrypoints: of these, or of all if NULL.

Error: 22023 for an array that is empty or holds no names.
Example: SELECT pgq.clear('{fetch}')$$;

CREATE FUNCTION pgq.requeue(ids bigint[]) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'requeue_wrapper';
COMMENT ON FUNCTION pgq.requeue(bigint[]) IS
$$Queues failed jobs again, due now, as if they had never been tried; returns those it queued. Left out: jobs that are
not failed, and those whose dedupe key another job has taken.

ids: the jobs.

Error: 22023 for NULL ids.
Example: SELECT pgq.requeue('{1,2}')$$;

CREATE FUNCTION pgq.reschedule(
    ids bigint[], execute_after timestamptz DEFAULT pg_catalog.now(), priority int DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'reschedule_wrapper';
COMMENT ON FUNCTION pgq.reschedule(bigint[], timestamptz, int) IS
$$Changes when queued jobs run; returns those it changed.

ids: the jobs. execute_after: earliest start. priority: NULL leaves it as it is.

Error: 22023 for NULL ids or a NULL time.
Example: SELECT pgq.reschedule('{1}', now() + interval '1 hour')$$;

CREATE FUNCTION pgq.pause(entrypoint text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'pause_wrapper';
COMMENT ON FUNCTION pgq.pause(text) IS
$$From the commit on nothing of this entrypoint is handed out. False where it was paused already.

entrypoint: its name.

Error: 22023 for one that is NULL, empty or over 255 bytes.
Example: SELECT pgq.pause('fetch')$$;

CREATE FUNCTION pgq.resume(entrypoint text) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'resume_wrapper';
COMMENT ON FUNCTION pgq.resume(text) IS
$$Ends a pause. False where there was none.

entrypoint: its name.

Error: 22023 for one that is NULL, empty or over 255 bytes.
Example: SELECT pgq.resume('fetch')$$;

CREATE FUNCTION pgq.configure(
    entrypoint text, concurrency_limit int DEFAULT NULL, max_attempts int DEFAULT NULL,
    backoff_initial interval DEFAULT NULL, backoff_max interval DEFAULT NULL, backoff_multiplier float8 DEFAULT NULL,
    on_failure text DEFAULT NULL, max_releases int DEFAULT NULL, rate_limit int DEFAULT NULL,
    rate_period interval DEFAULT NULL
) RETURNS pgq.entrypoints LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'configure_wrapper';
COMMENT ON FUNCTION pgq.configure(text, int, int, interval, interval, float8, text, int, int, interval) IS
$$Changes settings of an entrypoint, those that are given, and returns all of them.

entrypoint: its name. concurrency_limit: jobs picked at one time, 0 for any number. max_attempts: failed attempts until
it gives up, at least 1. backoff_initial, backoff_multiplier, backoff_max: delays between attempts. on_failure: hold or
delete. max_releases: lost workers until the job counts as failed. rate_limit, rate_period: claims in any stretch of the
period, 0 for any number.

Errors: 22023 for a value out of range, with the range.
Example: SELECT * FROM pgq.configure('fetch', concurrency_limit => 10)$$;
