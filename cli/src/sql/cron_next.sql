-- The next ticks of an expression. $1 the expression, $2 the time zone, $3 how many.
SELECT row_to_json(t)
  FROM (SELECT t.tick, round(extract(epoch FROM t.tick - now())::numeric, 1) AS in_seconds
          FROM pgq.cron_next($1, timezone => $2, count => $3) AS t(tick)) AS t
