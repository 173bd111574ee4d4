"""One measurement: load a queue, let clients drain it, check that every job was done once, and count what it cost."""
from dataclasses import dataclass
from pathlib import Path

from server import Failure

LOAD_CALL = 1000
DATABASE = "bench"


@dataclass(frozen=True)
class System:
    """A queue: its name, the folder of its statements, its table of jobs and its log."""

    name: str
    folder: str
    jobs: str
    log: str

    def text(self, file):
        return (Path(__file__).resolve().parent / "systems" / self.folder / file).read_text()


SYSTEMS = [
    System("pgqueuer", "pgqueuer", "pgq.job", "pgq.job_log"),
    System("update claim", "update_claim", "queue.job", "queue.job_log"),
]


@dataclass(frozen=True)
class Size:
    jobs: int
    clients: int
    batch: int
    rounds: int


@dataclass(frozen=True)
class Condition:
    synchronous_commit: str
    old_snapshot: bool

    def __str__(self):
        snapshot = "with" if self.old_snapshot else "without"
        return f"synchronous_commit = {self.synchronous_commit}, {snapshot} an old snapshot"


CONDITIONS = [Condition(commit, old) for old in (False, True) for commit in ("on", "off")]


@dataclass(frozen=True)
class Figures:
    """One drain: its speed and time, and what a job cost."""

    jobs_per_second: float
    seconds: float
    wal: float
    full_pages: float
    wal_of_enqueue: float
    dead: float
    updates: float
    hot_updates: float
    deletes: float
    transaction_ids: float


def measure(server, system, condition, size):
    with server.fresh_database(DATABASE):
        server.sql(system.text("install.sql"), DATABASE)
        wal_of_enqueue = load(server, system, condition.synchronous_commit, size.jobs)
        server.sql("ANALYZE", DATABASE)
        server.sql("CHECKPOINT")
        with server.snapshot(DATABASE, condition.old_snapshot):
            before, first_id = server.marks()
            work(server, system, condition.synchronous_commit, size)
            after, next_id = server.marks()
        server.wait_until_sessions_are_gone(DATABASE)
        seconds = check(server, system, size)
        wal, full_pages = server.wal(before, after)
        columns = "n_dead_tup", "n_tup_upd", "n_tup_hot_upd", "n_tup_del"
        sums = ", ".join(f"sum({column})" for column in columns)
        [counts] = server.sql(f"SELECT {sums} FROM pg_stat_user_tables", DATABASE)
        costs = wal, full_pages, wal_of_enqueue, *map(int, counts), next_id - first_id
        return Figures(size.jobs / seconds, seconds, *(cost / size.jobs for cost in costs))


def load(server, system, synchronous_commit, jobs):
    """Fills the queue after a checkpoint and returns the bytes of WAL without full pages."""
    server.sql("CHECKPOINT")
    before, _ = server.marks()
    fill(server, system, synchronous_commit, jobs)
    after, _ = server.marks()
    wal, full_pages = server.wal(before, after)
    return wal - full_pages


def fill(server, system, synchronous_commit, jobs):
    """Enqueues jobs, a thousand a transaction."""
    script = system.text("load.sql")
    done = server.pgbench(DATABASE, script, synchronous_commit, "-c", 1, "-t", jobs // LOAD_CALL)
    if done.status != 0:
        raise Failure("\n".join([f"{system.name} was not loaded:", *done.complaints]))


def work(server, system, synchronous_commit, size, limit=None):
    """Lets the clients claim and end batches until each of them finds the queue empty, or so many seconds are over."""
    script = system.text("work.sql").replace(":batch", str(size.batch))
    clients = "-c", size.clients, "-j", min(size.clients, 2)
    duration = ("-T", limit) if limit else ("-t", size.jobs)
    done = server.pgbench(DATABASE, script, synchronous_commit, *clients, *duration)
    # pgbench has no other way to stop a client early: it takes a \gset without a row for an error.
    ends = [line for line in done.complaints if line.endswith("expected one row, got 0")]
    others = [line for line in done.complaints if line not in ends and "Run was aborted" not in line]
    all_ended = done.status == 2 and len(ends) == size.clients
    if others or not all_ended and not (limit and done.status in (0, 2)):
        raise Failure("\n".join([f"the workers of {system.name} did not end at an empty queue:", *done.complaints]))


def check(server, system, size):
    """Every job was done, and once. Returns the seconds from the first claim to the last end, as the log has them."""
    [[left]] = server.sql(f"SELECT count(*) FROM {system.jobs}", DATABASE)
    [[rows, jobs, successful, seconds]] = server.sql(
        "SELECT count(*), count(DISTINCT job_id), count(*) FILTER (WHERE outcome = 'successful'), "
        f"extract(epoch FROM max(finished) - min(picked)) FROM {system.log}",
        DATABASE,
    )
    if (int(left), int(rows), int(jobs), int(successful)) != (0, size.jobs, size.jobs, size.jobs):
        raise Failure(
            f"{system.name}: {left} jobs are left; the log has {rows} rows of {jobs} jobs, {successful} successful; "
            f"there were {size.jobs} jobs"
        )
    return float(seconds)

