-- Rights. Nobody has any until one of these functions gives them; functions are private unless they are named here.

DO $$
BEGIN
    EXECUTE (SELECT pg_catalog.string_agg(pg_catalog.format('REVOKE ALL ON ROUTINE %s FROM PUBLIC;', p.oid::pg_catalog.regprocedure), ' ')
               FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = 'pgq'::pg_catalog.regnamespace);
    REVOKE ALL ON TYPE pgq.job_status FROM PUBLIC;
END
$$;

CREATE FUNCTION pgq.give(role text, functions text[]) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    signature regprocedure;
BEGIN
    IF role IS NULL OR NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname = give.role) THEN
        RAISE EXCEPTION 'role % does not exist', coalesce(pg_catalog.quote_ident(role), 'NULL')
            USING ERRCODE = 'undefined_object', HINT = 'Create the role first: CREATE ROLE name.';
    END IF;
    EXECUTE pg_catalog.format('GRANT USAGE ON SCHEMA pgq TO %I', role);
    FOR signature IN
        SELECT p.oid FROM pg_catalog.pg_proc AS p
         WHERE p.pronamespace = 'pgq'::pg_catalog.regnamespace AND p.proname = ANY (functions)
    LOOP
        EXECUTE pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', signature, role);
    END LOOP;
END
$$;
COMMENT ON FUNCTION pgq.give(text, text[]) IS 'Gives a role the right to call functions, by name. Internal.';

CREATE FUNCTION pgq.grant_producer(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{enqueue,enqueue_many,enqueue_many_text,status,explain,wait_for,wait_for_any,channel,listen,payload_text,payload_json}');
    EXECUTE pg_catalog.format('GRANT INSERT, SELECT (id) ON pgq.jobs TO %I', role);
END
$$;
COMMENT ON FUNCTION pgq.grant_producer(text) IS
$$Lets a role enqueue (by function, INSERT and COPY) and see the status of what it enqueued. It reads no payload.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_producer('shop')$$;

CREATE FUNCTION pgq.grant_worker(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{dequeue,complete,complete_many,fail,retry,finish,release,heartbeat,attach,wait,listen,channel,queue_size,payload_text,payload_json}');
END
$$;
COMMENT ON FUNCTION pgq.grant_worker(text) IS
$$Lets a role claim jobs, of any entrypoint, end its claims, and see how many jobs there are.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_worker('mailer')$$;

CREATE FUNCTION pgq.grant_monitor(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{status,explain,queue_size,throughput,latency,health,metrics,payload_text,payload_json,channel,listen,claims,attempt_ended,known_workers,cron_next,is_armed}');
    EXECUTE pg_catalog.format('GRANT SELECT ON pgq.jobs, pgq.job, pgq.job_log, pgq.entrypoints, pgq.workers, pgq.schedules TO %I', role);
END
$$;
COMMENT ON FUNCTION pgq.grant_monitor(text) IS
$$Lets a role look at everything, payloads included, and change nothing.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_monitor('grafana')$$;

CREATE FUNCTION pgq.grant_admin(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.grant_producer(role), pgq.grant_worker(role), pgq.grant_monitor(role);
    PERFORM pgq.give(role, '{cancel,delete,clear,requeue,reschedule,pause,resume,configure,schedule,unschedule,pause_schedule,resume_schedule,import_jobs,import_schedule,arm,set_durability,grant_producer,grant_worker,grant_monitor,grant_admin,revoke_all}');
END
$$;
COMMENT ON FUNCTION pgq.grant_admin(text) IS
$$Lets a role do everything: produce, work, look, control, and give these rights to others.
Error: 42704 where there is no such role.
Example: SELECT pgq.grant_admin('ops')$$;

CREATE FUNCTION pgq.revoke_all(role text) RETURNS void
LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    PERFORM pgq.give(role, '{}');
    EXECUTE pg_catalog.format(
        'REVOKE ALL ON ALL ROUTINES IN SCHEMA pgq FROM %1$I; REVOKE ALL ON ALL TABLES IN SCHEMA pgq FROM %1$I; '
        'REVOKE ALL (id) ON pgq.jobs FROM %1$I; REVOKE ALL ON ALL SEQUENCES IN SCHEMA pgq FROM %1$I; '
        'REVOKE ALL ON SCHEMA pgq FROM %1$I', role);
END
$$;
COMMENT ON FUNCTION pgq.revoke_all(text) IS
$$Takes from a role every right that the pgq.grant_... functions gave it.
Error: 42704 where there is no such role.
Example: SELECT pgq.revoke_all('shop')$$;
