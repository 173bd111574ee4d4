-- Health of the tables: who keeps dead rows from being removed, whether somebody removes them, and how old rows are.

-- Four kinds hold back the removal of dead rows: what they may still see stays. Each is ended in another way.
CREATE FUNCTION pgq.snapshot_holders(OUT age bigint, OUT since timestamptz, OUT who text, OUT hint text) RETURNS SETOF record
LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 10 SET search_path = pg_catalog, pg_temp AS $$
    -- Of another database only what counts for all. A VACUUM holds back no other.
    SELECT greatest(pg_catalog.age(a.backend_xmin), pg_catalog.age(a.backend_xid))::bigint, a.xact_start,
           pg_catalog.format('process %s (user %s, application "%s", %s since %s)', a.pid, a.usename, a.application_name,
                             coalesce(a.state, a.backend_type), pg_catalog.date_trunc('second', a.xact_start)),
           pg_catalog.format('End its transaction, or the session: SELECT pg_terminate_backend(%s).', a.pid)
      FROM pg_catalog.pg_stat_activity AS a
     WHERE (a.backend_xmin IS NOT NULL OR a.backend_xid IS NOT NULL) AND a.pid <> pg_catalog.pg_backend_pid()
       AND coalesce(a.datname, pg_catalog.current_database()) = pg_catalog.current_database() AND a.backend_type <> 'walsender'
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_progress_vacuum AS v WHERE v.pid = a.pid)
    UNION ALL
    SELECT greatest(pg_catalog.age(s.xmin), pg_catalog.age(s.catalog_xmin)), NULL,
           pg_catalog.format('replication slot %I (%s, %s)', s.slot_name, s.slot_type,
                             coalesce('in use by process ' || s.active_pid, 'in use by nobody')),
           CASE WHEN s.active_pid IS NULL THEN pg_catalog.format('If nobody comes back to it: SELECT pg_drop_replication_slot(%L).', s.slot_name)
                WHEN s.slot_type = 'physical' THEN 'End the oldest query on the standby that uses it, or set hot_standby_feedback = off there.'
                ELSE 'See why its reader does not get on.' END
      FROM pg_catalog.pg_replication_slots AS s WHERE s.xmin IS NOT NULL OR s.catalog_xmin IS NOT NULL
    UNION ALL
    SELECT pg_catalog.age(p.transaction), p.prepared,
           pg_catalog.format('prepared transaction %L (user %s, since %s)', p.gid, p.owner, pg_catalog.date_trunc('second', p.prepared)),
           pg_catalog.format('COMMIT PREPARED %1$L, or ROLLBACK PREPARED %1$L.', p.gid)
      FROM pg_catalog.pg_prepared_xacts AS p WHERE p.database = pg_catalog.current_database()
    UNION ALL
    SELECT pg_catalog.age(r.backend_xmin), NULL,
           pg_catalog.format('standby "%s" (%s, by hot_standby_feedback)', r.application_name, coalesce(pg_catalog.host(r.client_addr), 'local')),
           'End the oldest query on that standby (see pg_stat_activity there), or set hot_standby_feedback = off there.'
      FROM pg_catalog.pg_stat_replication AS r WHERE r.backend_xmin IS NOT NULL
$$;
COMMENT ON FUNCTION pgq.snapshot_holders() IS
    'Who may still see rows that are gone for everybody else, how many transactions ago that began, and how to end it. Internal: read pgq.health.';

CREATE FUNCTION pgq.health_of_rows(
    transactions bigint DEFAULT 10000000, longest interval DEFAULT '1 day', dead bigint DEFAULT 1000000, age bigint DEFAULT 1000000000,
    OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text
) RETURNS SETOF record
LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 4 SET search_path = pg_catalog, pg_temp AS $$
    WITH holder AS MATERIALIZED (
        SELECT h.age, h.since, h.who, h.hint FROM pgq.snapshot_holders() AS h ORDER BY h.age DESC, h.since LIMIT 1
    ), rows AS MATERIALIZED (
        SELECT pg_catalog.pg_stat_get_dead_tuples(t.oid) AS dead, pg_catalog.pg_stat_get_live_tuples(t.oid) AS live,
               greatest(pg_catalog.pg_stat_get_last_vacuum_time(t.oid), pg_catalog.pg_stat_get_last_autovacuum_time(t.oid)) AS vacuumed
          FROM (SELECT 'pgq.job'::pg_catalog.regclass) AS t(oid)
    ), switches AS MATERIALIZED (
        SELECT 'autovacuum is off' AS name, 'ALTER SYSTEM SET autovacuum = on; SELECT pg_reload_conf()' AS remedy
         WHERE pg_catalog.current_setting('autovacuum') = 'off'
        UNION ALL
        SELECT 'track_counts is off: autovacuum knows of no work', 'ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf()'
         WHERE pg_catalog.current_setting('track_counts') = 'off'
        UNION ALL
        SELECT pg_catalog.format('autovacuum is off for pgq.%I', c.relname),
               pg_catalog.format('ALTER TABLE pgq.%I RESET (autovacuum_enabled, toast.autovacuum_enabled)', c.relname)
          FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_class AS t ON t.oid = c.reltoastrelid
         WHERE c.relnamespace = 'pgq'::pg_catalog.regnamespace AND c.relkind = 'r'
           AND EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions || t.reloptions) AS o
                        WHERE o.option_name = 'autovacuum_enabled' AND NOT o.option_value::boolean)
    ), oldest AS MATERIALIZED (
        SELECT greatest(pg_catalog.age(c.relfrozenxid), pg_catalog.mxid_age(c.relminmxid)) AS age, coalesce(m.relname, c.relname) AS name
          FROM pg_catalog.pg_class AS c LEFT JOIN pg_catalog.pg_class AS m ON m.reltoastrelid = c.oid
         WHERE c.relkind IN ('r', 't') AND coalesce(m.relnamespace, c.relnamespace) = 'pgq'::pg_catalog.regnamespace
         ORDER BY 1 DESC, 2 LIMIT 1
    )
    SELECT 'oldest snapshot', coalesce((SELECT h.age < $1 AND (h.since > pg_catalog.now() - $2 OR h.since IS NULL) FROM holder AS h), true),
           coalesce((SELECT pg_catalog.format('%s transactions old, held by %s', h.age, h.who) FROM holder AS h), 'none but this one'),
           (SELECT h.hint FROM holder AS h) || ' Dead rows of finished jobs cannot be removed meanwhile.'
    UNION ALL
    SELECT 'dead rows', r.dead < $3 + 10 * r.live,
           pg_catalog.format('%s dead, %s live in pgq.job, vacuumed %s', r.dead, r.live,
                             coalesce(pg_catalog.date_trunc('second', r.vacuumed)::text, 'never')),
           'See the checks "oldest snapshot" and "autovacuum"; where they are well: VACUUM pgq.job.'
      FROM rows AS r
    UNION ALL
    SELECT 'autovacuum', s.names IS NULL, coalesce(s.names, 'on for all tables of the queue'), s.remedies || '.'
      FROM (SELECT pg_catalog.string_agg(s.name, ', ' ORDER BY s.name) AS names, pg_catalog.string_agg(s.remedy, '; ' ORDER BY s.name) AS remedies
              FROM switches AS s) AS s
    UNION ALL
    SELECT 'transaction ids', o.age < $4, pg_catalog.format('the oldest row may be %s transactions old, in pgq.%I', o.age, o.name),
           pg_catalog.format('See the checks "oldest snapshot" and "autovacuum"; where they are well: VACUUM (FREEZE) pgq.%I. '
                             'The server stops at 2,000,000,000.', o.name)
      FROM oldest AS o
$$;
COMMENT ON FUNCTION pgq.health_of_rows(bigint, interval, bigint, bigint) IS
$$Checks of dead and old rows. transactions, longest: how old a snapshot may be. dead: how many rows may be dead, and ten for each that lives.
age: of how many transactions ago a row may be. Internal: read pgq.health.$$;
