"""How late deferred jobs reach who waits for them, and how long the jobs of many schedules take that tick at one time."""
import sys

from drain import DATABASE
from figures import Figure, percentile

# One session that waits for each of its own deferred jobs in turn. Both times are those of the server's clock.
DEFERRED = """
DO $$
DECLARE
    due timestamptz;
    ready boolean;
BEGIN
    FOR round IN 1..{rounds} LOOP
        PERFORM pgq.enqueue('timer', delay => make_interval(secs => 0.1 + random() * 0.2));
        COMMIT;
        CALL pgq.wait('{{timer}}', '10 s', ready);
        SELECT d.execute_after INTO STRICT due FROM pgq.dequeue('{{timer}}') AS d;
        INSERT INTO late VALUES (1000 * extract(epoch FROM clock_timestamp() - due));
        PERFORM pgq.complete(id) FROM pgq.jobs;
        COMMIT;
    END LOOP;
END $$;
"""
# All schedules get the same next tick, a moment ahead.
SCHEDULES = """
SELECT count(pgq.schedule('schedule ' || i, '30 4 * * *', 'entrypoint ' || i % 20, repeat('x', 100))) FROM generate_series(1, {count}) AS i;
"""
TICK = """
WITH tick AS (INSERT INTO tick VALUES (date_trunc('second', clock_timestamp() + interval '3 s')) RETURNING at)
UPDATE pgq.schedules SET next_tick = tick.at FROM tick
"""
ALL_DONE = """
DO $$
BEGIN
    LOOP
        EXIT WHEN (SELECT count(*) = {count} FROM pgq.job) OR (SELECT clock_timestamp() > at + interval '1 min' FROM tick);
        COMMIT;
        PERFORM pg_sleep(0.01);
    END LOOP;
    UPDATE tick SET done = clock_timestamp();
END $$;
"""


def due(server, sizes):
    with server.fresh_database(DATABASE):
        server.sql("CREATE EXTENSION pgqueuer", DATABASE)
        print(f"due: {sizes.deferred} deferred jobs", file=sys.stderr)
        server.sql("CREATE TABLE late (milliseconds float8)", DATABASE)
        server.sql(DEFERRED.format(rounds=sizes.deferred), DATABASE)
        times = [float(time) for [time] in server.sql("SELECT milliseconds FROM late", DATABASE)]
    median = percentile(times, 0.5)
    yield Figure(
        "deferred job due → in the hands of who waits, ms",
        f"{len(times)} times",
        f"median {median:.2f}, p99 {percentile(times, 0.99):.2f}, worst {max(times):.2f}",
        aim=("median < 10", median < 10),
    )


def ticks(server, sizes):
    with server.fresh_database(DATABASE):
        server.sql("CREATE EXTENSION pgqueuer", DATABASE)
        print(f"ticks: {sizes.schedules} schedules", file=sys.stderr)
        server.sql(SCHEDULES.format(count=sizes.schedules), DATABASE)
        server.sql("CREATE TABLE tick (at timestamptz, done timestamptz)", DATABASE)
        server.sql("CHECKPOINT", DATABASE)
        server.sql(TICK, DATABASE)
        server.sql(ALL_DONE.format(count=sizes.schedules), DATABASE)
        [[seconds, jobs]] = server.sql(
            "SELECT extract(epoch FROM done - at), (SELECT count(*) FROM pgq.job) FROM tick", DATABASE
        )
    yield Figure(
        "tick of many schedules → all their jobs committed, s",
        f"{sizes.schedules:,} schedules, {int(jobs):,} jobs",
        f"{float(seconds):.2f}",
        aim=("< 1", float(seconds) < 1 and int(jobs) == sizes.schedules),
    )
