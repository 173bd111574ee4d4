-- Enqueues a job as a tick of a schedule would, out of its turn. $1 the schedule, $2 the prefix of its entrypoint.
SELECT pgq.enqueue(s.entrypoint, payload_bytes => s.payload, priority => s.priority, ordering_key => s.ordering_key,
                   headers => coalesce(s.headers, '{}') || jsonb_build_object('schedule', s.name))
  FROM pgq.schedules AS s WHERE s.name = $1 AND starts_with(s.entrypoint, $2)
