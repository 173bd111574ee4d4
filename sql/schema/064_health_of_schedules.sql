-- Health of the schedules: whether they tick.

CREATE FUNCTION pgq.health_of_schedules(late interval DEFAULT '1 min', OUT "check" text, OUT ok boolean, OUT detail text, OUT hint text)
RETURNS SETOF record LANGUAGE sql VOLATILE PARALLEL UNSAFE ROWS 2 SET search_path = pg_catalog, pg_temp AS $$
    WITH state AS MATERIALIZED (
        SELECT pgq.is_armed() AS armed, EXISTS (SELECT FROM pgq.schedules) AS any_schedule
    ), late AS MATERIALIZED (
        -- Served by schedules_next_tick_idx, from its start.
        SELECT s.name, s.next_tick, s.note FROM pgq.schedules AS s, state AS t
         WHERE t.armed AND s.next_tick < pg_catalog.clock_timestamp() - $1 ORDER BY s.next_tick, s.id LIMIT 1
    ), ended AS MATERIALIZED (
        SELECT s.name, s.note FROM pgq.schedules AS s WHERE s.enabled AND s.next_tick IS NULL ORDER BY s.id LIMIT 1
    )
    SELECT 'armed', t.armed,
           CASE WHEN t.armed THEN 'schedules tick here' ELSE 'this database was restored or copied from another: no schedule ticks' END,
           'If its schedules are to run here, and not where it was copied from: SELECT pgq.arm().'
      FROM state AS t
    UNION ALL
    SELECT 'schedules', NOT EXISTS (SELECT FROM late) AND NOT EXISTS (SELECT FROM ended),
           coalesce((SELECT pg_catalog.format('%I should have ticked at %s', l.name, l.next_tick) || coalesce(': ' || l.note, '') FROM late AS l),
                    (SELECT pg_catalog.format('%I ticks no more', e.name) || coalesce(': ' || e.note, '') FROM ended AS e),
                    CASE WHEN t.any_schedule THEN 'all of them tick in time' ELSE 'there are none' END),
           CASE WHEN EXISTS (SELECT FROM late)
                THEN 'See the check "background worker"; pgq.schedules says in its column note what was in the way.'
                ELSE 'Change it with pgq.schedule, or remove it with pgq.unschedule.' END
      FROM state AS t
$$;
COMMENT ON FUNCTION pgq.health_of_schedules(interval) IS
$$Checks of the schedules. late: how long after its time a tick is late. Internal: read pgq.health.$$;
