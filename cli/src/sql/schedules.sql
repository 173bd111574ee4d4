-- Schedules, the next to tick first. $1 the prefix.
SELECT row_to_json(s)
  FROM (SELECT substr(s.name, length($1) + 1) AS name, s.cron, s.timezone,
               CASE WHEN starts_with(s.entrypoint, $1) THEN substr(s.entrypoint, length($1) + 1) ELSE s.entrypoint END AS entrypoint,
               s.enabled, s.next_tick, s.last_tick, s.last_job, s.note,
               coalesce(pgq.payload_text(substring(s.payload FOR 60)), pgq.payload_text(substring(s.payload FOR 59)),
                        pgq.payload_text(substring(s.payload FOR 58)), pgq.payload_text(substring(s.payload FOR 57)),
                        encode(substring(s.payload FOR 30), 'hex')) AS payload_start,
               s.priority, s.catch_up, s.overlap, s.ordering_key, s.headers
          FROM pgq.schedules AS s
         WHERE starts_with(s.name, $1)
         ORDER BY s.next_tick, s.name) AS s
