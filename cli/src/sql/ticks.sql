-- When schedules tick, in seconds since 1970. $1 the prefix of their names, $2 how many at most.
SELECT row_to_json(s)
  FROM (SELECT substr(s.name, length($1) + 1) AS name, s.enabled,
               CASE WHEN isfinite(s.next_tick) THEN extract(epoch FROM s.next_tick)::float8 END AS next_tick,
               CASE WHEN isfinite(s.last_tick) THEN extract(epoch FROM s.last_tick)::float8 END AS last_tick,
               count(*) OVER () AS schedules
          FROM pgq.schedules AS s WHERE starts_with(s.name, $1) ORDER BY s.name LIMIT $2) AS s
