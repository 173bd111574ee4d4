-- What the server tells of the queue: bytes of the log, dead and live rows of the jobs, age of the oldest snapshot, how full the
-- queue of notifications is, the version of the extension.
-- Called by: see/metrics.rs. Reads statistics and sizes of files, no row of ours.
SELECT (SELECT sum(pg_total_relation_size(i.inhrelid))::bigint FROM pg_inherits AS i WHERE i.inhparent = 'pgq.job_log'::regclass),
       pg_stat_get_dead_tuples('pgq.job'::regclass),
       pg_stat_get_live_tuples('pgq.job'::regclass),
       (SELECT coalesce(max(h.age), 0)::bigint
          FROM (SELECT age(a.backend_xmin) FROM pg_stat_activity AS a WHERE a.backend_xmin IS NOT NULL AND a.pid <> pg_backend_pid()
                UNION ALL SELECT age(s.xmin) FROM pg_replication_slots AS s WHERE s.xmin IS NOT NULL
                UNION ALL SELECT age(p.transaction) FROM pg_prepared_xacts AS p) AS h(age)),
       pg_notification_queue_usage(),
       (SELECT e.extversion FROM pg_extension AS e WHERE e.extname = 'pgqueuer')
