-- Why a job is not running.

CREATE FUNCTION pgq.explain(id bigint) RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'explain_wrapper';
COMMENT ON FUNCTION pgq.explain(bigint) IS
$$Why a job is not running, in a sentence or two, and what would make it run. Where several things stand in its way, the
first of them. Times are shown in the session's time zone.

id: the job. A role that is only a producer is told of jobs that it enqueued.

Error: 22023 where id is NULL.
Example: SELECT pgq.explain(1)$$;
