-- Numbers for a monitoring system.

CREATE FUNCTION pgq.metrics() RETURNS text
LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'metrics_wrapper';
COMMENT ON FUNCTION pgq.metrics() IS
$$Metrics of this database's queue in Prometheus' text format. Counters begin at 0 with the server. Waiting jobs are counted up
to a bound, so that a long queue costs no more than a short one.

Where the library is not preloaded, and on a standby, what memory tells is left out.

Errors: none of its own.
Example: SELECT pgq.metrics()$$;
