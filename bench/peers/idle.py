"""What 20 workers ask of a server while there is nothing to do. Counted by database, so several systems idle at a time."""
import time
from contextlib import ExitStack

from peers.ground import CONTROL
from peers.scenarios import Figure

SECONDS = 20
#: After which the workers have done what they do at their start.
SETTLED = 5
#: So many systems at a time.
GROUP = 5

COUNTS = """
SELECT d.datname, d.xact_commit + d.xact_rollback,
       coalesce(s.direct, 0), coalesce(s.nested, 0), coalesce(a.connections, 0)
  FROM pg_stat_database d
  LEFT JOIN (SELECT dbid, sum(calls) FILTER (WHERE toplevel) AS direct, sum(calls) FILTER (WHERE NOT toplevel) AS nested
               FROM pg_stat_statements GROUP BY dbid) s ON s.dbid = d.datid
  LEFT JOIN (SELECT datid, count(*) AS connections
               FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY datid) a USING (datid)
 WHERE d.datname LIKE 'idle%'"""


def idle(ground, systems):
    """Statements a second, by system."""
    track(ground, "all")
    try:
        with ExitStack() as stack:
            for number, system in enumerate(systems):
                stack.enter_context(ground.database(system, f"idle{number}"))
                options = {**system.idle, "database": f"idle{number}"}
                [worker] = stack.enter_context(ground.workers(system, options))
                worker.begin()
            time.sleep(SETTLED)
            before, begun = counts(ground), time.monotonic()
            time.sleep(SECONDS)
            after, seconds = counts(ground), time.monotonic() - begun
    finally:
        track(ground, "none")
    names = {system.name: f"idle{number}" for number, system in enumerate(systems)}
    return {name: figure(before[database], after[database], seconds) for name, database in names.items()}


def figure(before, after, seconds):
    transactions, direct, nested = ((now - then) / seconds for now, then in zip(after[:3], before[:3]))
    # The connection that looks after the database is not the system's.
    details = {"nested": nested, "transactions": transactions, "connections": after[3] - 1}
    return Figure(direct, details)


def counts(ground):
    return {name: [float(number) for number in numbers] for name, *numbers in ground.server.sql(COUNTS, CONTROL)}


def track(ground, what):
    ground.server.sql(f"ALTER SYSTEM SET pg_stat_statements.track = '{what}'")
    ground.server.sql("SELECT pg_reload_conf()")
