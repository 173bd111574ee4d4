"""What sessions cost that sit in CALL pgq.wait and have nothing to do."""
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from drain import DATABASE
from figures import Figure
from parts.sleepers import ASLEEP, sleepers
from server import Failure

# What starting them costs is over by then.
SETTLE_SECONDS = 3
# The worker of the extension may begin with one look more or less.
TOLERANCE = 5


@dataclass(frozen=True)
class Used:
    """What all processes of the server used, and what the sessions did in the database."""

    cpu_seconds: float
    switches: int
    transactions: int
    rows: int
    pages: int
    snapshots: int


def idle(server, sizes):
    short, long = (used(server, sizes.waiters, seconds) for seconds in (0, sizes.idle_seconds))
    nobody = used(server, 0, sizes.idle_seconds)
    condition = f"{sizes.waiters} sessions in pgq.wait for {sizes.idle_seconds} s"
    transactions = long.transactions - short.transactions
    rows, pages = long.rows - short.rows, long.pages - short.pages
    yield Figure("idle: transactions", condition, f"{transactions}", aim=(f"0, give or take {TOLERANCE}", transactions <= TOLERANCE))
    yield Figure("idle: rows and pages that statements read", condition, f"{rows} and {pages}")
    yield Figure("idle: snapshots held", condition, f"{long.snapshots}", aim=("0", long.snapshots == 0))
    yield Figure("idle: CPU seconds of the server", condition, f"{long.cpu_seconds:.3f}", f"nobody: {nobody.cpu_seconds:.3f}")
    yield Figure("idle: context switches of the server", condition, f"{long.switches:,}", f"nobody: {nobody.switches:,}")


def used(server, waiters, seconds):
    """What is used in so many seconds of sleep.

    A session adds what it did to the statistics when it ends, so those cover its whole life: the difference to a life
    without the seconds is what these cost.
    """
    with server.fresh_database(DATABASE):
        server.sql("CREATE EXTENSION pgqueuer", DATABASE)
        with sleepers(server, waiters, "idle"):
            time.sleep(SETTLE_SECONDS)
            cpu, switches = processes(server)
            time.sleep(seconds)
            cpu_after, switches_after = processes(server)
            [[snapshots]] = server.sql(f"SELECT count(*) FROM pg_stat_activity WHERE {ASLEEP} AND backend_xmin IS NOT NULL")
        end_all(server)
        [[transactions, rows, pages]] = server.sql(
            "SELECT xact_commit + xact_rollback, tup_returned + tup_fetched, blks_read + blks_hit "
            f"FROM pg_stat_database WHERE datname = '{DATABASE}'"
        )
    print(f"idle: {waiters} waiters, {seconds} s more: {transactions} transactions in all", file=sys.stderr)
    costs = cpu_after - cpu, switches_after - switches
    return Used(*costs, int(transactions), int(rows), int(pages), int(snapshots))


def end_all(server):
    """Ends every session of the database and the extension's worker in it, so that the statistics have them all."""
    here = f"FROM pg_stat_activity WHERE datname = '{DATABASE}'"
    server.sql(f"ALTER DATABASE {DATABASE} ALLOW_CONNECTIONS false")
    ended = [pid for [pid] in server.sql(f"SELECT pid FROM (SELECT pid, pg_terminate_backend(pid) {here}) AS ended")]
    deadline = time.monotonic() + 30
    while ended and server.sql(f"SELECT count(*) {here} AND pid IN ({', '.join(ended)})") != [["0"]]:
        if time.monotonic() > deadline:
            raise Failure("sessions that were terminated are still there")
        time.sleep(0.05)


def processes(server):
    """Seconds of CPU and context switches of the server's processes until now."""
    postmaster = (server.folder / "data" / "postmaster.pid").read_text().splitlines()[0]
    nanoseconds = switches = 0
    for folder in Path("/proc").iterdir():
        if folder.name == postmaster or folder.name.isdigit() and parent(folder) == postmaster:
            nanoseconds += int((folder / "schedstat").read_text().split()[0])
            lines = (folder / "status").read_text().splitlines()
            switches += sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
    return nanoseconds / 1e9, switches


def parent(folder):
    """The process that started it; nothing where it has ended meanwhile."""
    try:
        # After the name, which may have blanks and parentheses: state, parent.
        return (folder / "stat").read_text().rpartition(")")[2].split()[1]
    except (FileNotFoundError, ProcessLookupError):
        return ""
