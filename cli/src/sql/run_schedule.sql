-- Enqueues a job of a schedule now, as a tick would; NULL where there is no such schedule. $1 its name.
SELECT (SELECT pgq.enqueue(s.entrypoint, payload_bytes => s.payload, priority => s.priority, ordering_key => s.ordering_key,
                           headers => coalesce(s.headers, '{}') || jsonb_build_object('schedule', s.name, 'scheduled_at', now()))
          FROM pgq.schedules AS s WHERE s.name = $1)
