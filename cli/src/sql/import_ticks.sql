-- Whether a schedule of this name can be made. $1 the name, $2 the expression. An error says what is wrong with the latter.
SELECT EXISTS (SELECT FROM pgq.schedules AS s WHERE s.name = $1) AS taken,
       EXISTS (SELECT FROM pgq.cron_next($2) AS t) AS ticks
