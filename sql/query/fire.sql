-- Enqueues the jobs of ticks.
-- Called by: schedule/fire.rs, before advance.sql and in its transaction. Parameters: now, ids of jobs, of their schedules, ticks.
-- Indexes: the primary key of pgq.schedules, and all of pgq.job. Locks: none beyond those of due_schedules.sql.
INSERT INTO pgq.job (id, created, due, priority, entrypoint, producer, ordering_key, payload, headers)
SELECT f.job, $1::timestamptz, $1::timestamptz, s.priority, s.entrypoint, s.producer, s.ordering_key, s.payload,
       coalesce(s.headers, '{}') || jsonb_build_object('schedule', s.name, 'scheduled_at', f.tick)
  FROM unnest($2::bigint[], $3::bigint[], $4::timestamptz[]) AS f(job, schedule, tick)
  JOIN pgq.schedules AS s ON s.id = f.schedule
