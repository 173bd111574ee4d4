-- Whether a schedule is shown here. $1 its name, $2 the prefix of its entrypoint.
SELECT EXISTS (SELECT FROM pgq.schedules AS s WHERE s.name = $1 AND starts_with(s.entrypoint, $2))
