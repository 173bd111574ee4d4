-- Schedules of the old queue. $1 what goes before entrypoints, $2 since when a heartbeat means a worker that lives.
-- One that is picked was begun and not ended: its tick comes again, as it would have there.
SELECT row_to_json(s)
  FROM (SELECT s.id, s.expression AS cron, $1 || s.entrypoint AS entrypoint, s.last_run, s.next_run,
               coalesce(s.status::text = 'picked', false) AS is_picked,
               coalesce(s.status::text = 'picked' AND s.heartbeat >= clock_timestamp() - $2::text::interval, false) AS alive,
               s.next_run <= clock_timestamp() AS is_due
          FROM {schedules} AS s ORDER BY s.entrypoint, s.id) AS s
