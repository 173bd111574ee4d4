-- Schedules by name. $1 the prefix of their entrypoints, $2 names after this one, $3 how many.
-- Index: schedules_name_key.
SELECT row_to_json(x)
  FROM (SELECT s.name, s.cron, s.timezone, substr(s.entrypoint, length($1) + 1) AS entrypoint, s.enabled, s.next_tick, s.last_tick,
               s.last_job, s.note, s.next_tick < now() - interval '1 min' AS late, s.catch_up, s.overlap,
               ARRAY(SELECT t FROM pgq.cron_next(s.cron, now(), s.timezone, 5) AS t) AS ticks
          FROM pgq.schedules AS s
         WHERE s.name > $2 AND starts_with(s.entrypoint, $1) ORDER BY s.name LIMIT $3) AS x
