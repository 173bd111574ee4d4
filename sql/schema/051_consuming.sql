-- Consuming. Every function here needs the library preloaded.

CREATE FUNCTION pgq.dequeue(
    entrypoints text[], batch_size int DEFAULT 1, worker uuid DEFAULT NULL, lease interval DEFAULT NULL,
    max_in_flight int DEFAULT NULL
) RETURNS SETOF pgq.jobs LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'dequeue_wrapper';
COMMENT ON FUNCTION pgq.dequeue(text[], int, uuid, interval, int) IS
$$Claims up to batch_size jobs of these entrypoints, best first: priority, then when it became due, then id.

worker: NULL for this session, whose claims live as long as it does or until DISCARD ALL; else a uuid, whose claims live by pgq.heartbeat.
lease: named workers, how long a sign of life keeps the claims; NULL for pgqueuer.default_lease. max_in_flight: never let
this worker hold more than so many.

Stands in FROM; LIMIT does not make it claim less. Errors: 22023 for a bad argument; 0A000 in a select list; 25006 on a
standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT * FROM pgq.dequeue('{fetch}', 10)$$;

CREATE PROCEDURE pgq.wait(entrypoints text[], timeout interval DEFAULT '30 s', INOUT ready boolean DEFAULT NULL)
LANGUAGE c AS 'MODULE_PATHNAME', 'wait_for_work_wrapper';
COMMENT ON PROCEDURE pgq.wait(text[], interval, boolean) IS
$$Returns as soon as a job of these entrypoints can be claimed (ready = true; at once if one can be), or at the timeout.

Polls nothing, and holds no snapshot while it waits. Goes alone: not in a transaction block, a function or a pipeline.
Ends with ready = false a little before statement_timeout or transaction_timeout would end it.

Errors: 25001 where it is not alone; 22023 for a bad argument; 25006 on a standby or where transactions are READ ONLY;
55000 where the library is not preloaded.
Example: CALL pgq.wait('{fetch}', '30 s')$$;

CREATE PROCEDURE pgq.wait_for(ids bigint[], timeout interval DEFAULT '30 s', INOUT done boolean DEFAULT NULL)
LANGUAGE c AS 'MODULE_PATHNAME', 'wait_for_wrapper';
COMMENT ON PROCEDURE pgq.wait_for(bigint[], interval, boolean) IS
$$Returns when all of these jobs have ended, as successful, exception, failed, canceled or deleted (done = true), or at the
timeout. Waits as pgq.wait does.

ids: the jobs; one that is not known counts as ended, and so does, for a role that is only a producer, one that it did not
enqueue.

Errors: those of pgq.wait.
Example: CALL pgq.wait_for('{1,2}', '10 s')$$;

CREATE PROCEDURE pgq.wait_for_any(ids bigint[], timeout interval DEFAULT '30 s', INOUT done boolean DEFAULT NULL)
LANGUAGE c AS 'MODULE_PATHNAME', 'wait_for_any_wrapper';
COMMENT ON PROCEDURE pgq.wait_for_any(bigint[], interval, boolean) IS
$$As pgq.wait_for, but returns when one of these jobs has ended (done = true; at once where one has, or for no ids).

ids: as in pgq.wait_for.

Errors: those of pgq.wait.
Example: CALL pgq.wait_for_any('{1,2}', '10 s')$$;

CREATE FUNCTION pgq.attach(worker uuid) RETURNS void
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'attach_wrapper';
COMMENT ON FUNCTION pgq.attach(uuid) IS
$$Says that this session belongs to a named worker. When the session ends, and no new one attaches within
pgqueuer.attach_grace, the worker's jobs are released at once, however long its lease. Call it on the session that
listens; one call for each session is enough.

worker: its uuid.

Errors: 22023 for NULL; 53400 for too many workers; 25006 on a standby or in a READ ONLY transaction; 55000 where the
library is not preloaded.
Example: SELECT pgq.attach('9b1c1f9e-6f0e-4b0e-9d38-0f6f5f1d2a11')$$;

CREATE FUNCTION pgq.complete(id bigint, worker uuid DEFAULT NULL, attempt int DEFAULT NULL) RETURNS boolean
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'complete_wrapper';
COMMENT ON FUNCTION pgq.complete(bigint, uuid, int) IS
$$The job is done: its row goes, the log says successful. False where this worker does not hold it.

id: the job. worker: as in pgq.dequeue. attempt: only in this attempt, the column attempts that pgq.dequeue gave.

Errors: 22023 for a NULL id; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.complete(1)$$;

CREATE FUNCTION pgq.complete_many(ids bigint[], worker uuid DEFAULT NULL, attempts int[] DEFAULT NULL) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'complete_many_wrapper';
COMMENT ON FUNCTION pgq.complete_many(bigint[], uuid, int[]) IS
$$As pgq.complete, for many; returns those really completed.

ids: the jobs. worker: as in pgq.dequeue. attempts: one for each id, or NULL.

Errors: those of pgq.complete.
Example: SELECT pgq.complete_many('{1,2,3}')$$;

CREATE FUNCTION pgq.fail(id bigint, error text DEFAULT NULL, worker uuid DEFAULT NULL, attempt int DEFAULT NULL)
RETURNS pgq.job_status LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_text_wrapper';
COMMENT ON FUNCTION pgq.fail(bigint, text, uuid, int) IS
$$The attempt failed. Returns what the job is now: queued (it will be tried again after its backoff), failed (held) or
exception (given up and gone); NULL where this worker does not hold it.

id: the job. error: kept in the log as a JSON string. worker: as in pgq.dequeue. attempt: only in this attempt.

Errors: 22023 for a NULL id; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.fail(1, 'connection refused')$$;

CREATE FUNCTION pgq.fail(id bigint, error_json json, worker uuid DEFAULT NULL, attempt int DEFAULT NULL)
RETURNS pgq.job_status LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_json_wrapper';
COMMENT ON FUNCTION pgq.fail(bigint, json, uuid, int) IS
$$As pgq.fail with a text, for JSON.
Example: SELECT pgq.fail(1, error_json => '{"code": 503}')$$;

CREATE FUNCTION pgq.fail(id bigint, error_jsonb jsonb, worker uuid DEFAULT NULL, attempt int DEFAULT NULL)
RETURNS pgq.job_status LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'fail_jsonb_wrapper';
COMMENT ON FUNCTION pgq.fail(bigint, jsonb, uuid, int) IS
$$As pgq.fail with a text, for JSON.
Example: SELECT pgq.fail(1, error_jsonb => '{"code": 503}')$$;

CREATE FUNCTION pgq.retry(
    id bigint, delay interval DEFAULT '0', reason text DEFAULT NULL, worker uuid DEFAULT NULL, attempt int DEFAULT NULL
) RETURNS boolean LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'retry_wrapper';
COMMENT ON FUNCTION pgq.retry(bigint, interval, text, uuid, int) IS
$$Queues the job again. The attempt counts, but not as a failed one. False where this worker does not hold it.

id: the job. delay: from now on. reason: kept in the log as a JSON string. worker: as in pgq.dequeue. attempt: only in
this attempt.

Errors: 22023 for a NULL id; 22008 for a delay beyond all times; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.retry(1, '5 min', 'rate limited')$$;

CREATE FUNCTION pgq.finish(
    ids bigint[], outcomes text[], errors jsonb[] DEFAULT NULL, worker uuid DEFAULT NULL, attempts int[] DEFAULT NULL
) RETURNS bigint[] LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'finish_wrapper';
COMMENT ON FUNCTION pgq.finish(bigint[], text[], jsonb[], uuid, int[]) IS
$$Ends many jobs, each with its own outcome, at once and for good. Returns those really ended.

ids: the jobs. outcomes: one for each: successful and exception remove the row, failed holds it, whatever attempts are
left. errors: one for each, kept in the log, or NULL. worker: as in pgq.dequeue. attempts: one for each, or NULL.

Errors: 22023 for arrays of unequal length, NULL ids or another word; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.finish('{1,2}', '{successful,exception}', ARRAY[NULL, '{"code": 503}']::jsonb[])$$;

CREATE FUNCTION pgq.release(ids bigint[], worker uuid DEFAULT NULL, attempts int[] DEFAULT NULL) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS 'MODULE_PATHNAME', 'release_wrapper';
COMMENT ON FUNCTION pgq.release(bigint[], uuid, int[]) IS
$$Gives claims back: the jobs are queued at once and the attempt does not count. Returns those really released.

ids: the jobs. worker: as in pgq.dequeue. attempts: one for each id, or NULL.

Errors: 22023 for NULL ids; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.release('{1,2}')$$;

CREATE FUNCTION pgq.heartbeat(worker uuid, lease interval DEFAULT NULL, held bigint[] DEFAULT NULL) RETURNS bigint[]
LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'heartbeat_wrapper';
COMMENT ON FUNCTION pgq.heartbeat(uuid, interval, bigint[]) IS
$$A sign of life of a named worker. Returns those of held that it does not hold any more (canceled, lost). Writes nothing.

worker: the uuid it dequeues with. lease: from now on, up to 100 years; NULL for the one it has. held: ids of jobs.

Errors: 22023 for a bad argument; 53400 where memory has room for no more workers; 25006 on a standby or in a READ ONLY transaction; 55000 where the library is not preloaded.
Example: SELECT pgq.heartbeat('7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', held => '{1,2}')$$;

CREATE FUNCTION pgq.listen(entrypoints text[]) RETURNS SETOF text
LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 10 AS 'MODULE_PATHNAME', 'listen_wrapper';
COMMENT ON FUNCTION pgq.listen(text[]) IS
$$LISTENs to the channels of these entrypoints from the commit on, and returns their names.

entrypoints: as in pgq.dequeue.

Errors: 22023 for a bad argument; 25006 on a standby.
Example: SELECT pgq.listen('{fetch}')$$;

CREATE FUNCTION pgq.channel(entrypoint text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'channel_wrapper';
COMMENT ON FUNCTION pgq.channel(text) IS
$$The notification channel of an entrypoint: lower case, the same quoted and unquoted. An empty message says that there
are jobs; {"event": "canceled", "ids": [...]} says that running jobs were canceled.

entrypoint: its name.

Errors: 22023 for one that is NULL, empty or over 255 bytes.
Example: SELECT pgq.channel('fetch')$$;
