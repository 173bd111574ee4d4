"""A throwaway server, and what is asked of it: SQL through psql, load through pgbench, WAL through pg_waldump."""
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# Autovacuum would remove the dead rows that are counted, and a checkpoint in the middle would add full pages.
SETTINGS = {
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "1h",
    "autovacuum": "off",
    "max_connections": "200",
}


class Failure(Exception):
    """A measurement that is not one. It ends the run: there is no table then."""


def run(command, **options):
    """Runs a command and returns what it printed; a Failure with what it complained about where it fails."""
    try:
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    except subprocess.TimeoutExpired as late:
        raise Failure(f"{command[0]} did not end in {late.timeout} s") from late
    if done.returncode != 0:
        raise Failure(f"{command[0]} failed:\n{done.stderr.strip()}")
    return done.stdout.strip()


def setting(name):
    """What .ci/env says."""
    return run(["bash", "-c", '. "$1" && printenv "$2"', "-", CHECKOUT / ".ci" / "env", name])


@contextmanager
def throwaway(settings=SETTINGS):
    """A server in a new folder; both are gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="pgqueuer-bench-"))
    cluster = CHECKOUT / ".ci" / "cluster"
    try:
        words = [f"{name}={value}" for name, value in settings.items()]
        yield Server(folder, run([cluster, "start", folder, *words]), settings)
    finally:
        run([cluster, "stop", folder])
        shutil.rmtree(folder)


@dataclass(frozen=True)
class Load:
    """What pgbench ended with: its exit status, its report, and the lines of its complaints."""

    status: int
    report: str
    complaints: list

    def transactions_per_second(self):
        if self.status != 0:
            raise Failure("\n".join(["pgbench failed:", *self.complaints]))
        return float(re.search(r"^tps = ([0-9.]+) \(without", self.report, re.MULTILINE)[1])


@dataclass(frozen=True)
class Records:
    """The records of one type in a stretch of WAL: how many, their bytes, and those of the full pages they carry."""

    count: int
    size: int
    full_pages: int


class Server:
    def __init__(self, folder, dsn, settings):
        self.folder = folder
        self.dsn = dsn
        self.settings = settings
        pg_config = setting("PG_CONFIG")
        self.bin = Path(run([pg_config, "--bindir"]))
        self.library = Path(run([pg_config, "--pkglibdir"])) / "pgqueuer.so"
        self.installed = self.identity_of_library()

    def identity_of_library(self):
        if not self.library.is_file():
            raise Failure("pgqueuer is not installed: run .ci/install --release")
        found = self.library.stat()
        return found.st_ino, found.st_mtime_ns

    def check_library(self):
        """New sessions keep the library that the server loaded; the report would name the wrong one."""
        if self.identity_of_library() != self.installed:
            raise Failure("the library was installed anew in the middle of the run")

    def sql(self, text, database="postgres"):
        """The rows of the last statement, as lists of text."""
        command = [*self.psql(database), "-c", text]
        return [line.split("|") for line in run(command).splitlines()]

    def psql(self, database):
        return [self.bin / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.database(database)]

    def database(self, name):
        return self.dsn.rpartition("/")[0] + "/" + name

    @contextmanager
    def fresh_database(self, name):
        self.sql(f"CREATE DATABASE {name}")
        try:
            yield name
        finally:
            self.sql(f"DROP DATABASE {name} WITH (FORCE)")

    def pgbench(self, database, script, synchronous_commit, *options):
        """Lets pgbench run a script."""
        file = self.folder / "script.sql"
        file.write_text(script)
        command = [self.bin / "pgbench", "-n", "-M", "prepared", "-f", file, *options, self.database(database)]
        environment = dict(os.environ, PGOPTIONS=f"-c synchronous_commit={synchronous_commit}")
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env=environment)
        return Load(done.returncode, done.stdout, done.stderr.splitlines())

    @contextmanager
    def snapshot(self, database, held):
        """Where asked for, a session that keeps a snapshot of this moment open meanwhile."""
        if not held:
            yield
            return
        command = [str(word) for word in self.psql(database)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as session:
            session.stdin.write("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 'taken';\n")
            session.stdin.flush()
            if session.stdout.readline().strip() != "taken":
                raise Failure("the old snapshot could not be taken")
            yield
            session.stdin.close()

    def wait_until_sessions_are_gone(self, database):
        """Sessions add what they did to the statistics when they end, which is after their client has."""
        others = f"SELECT count(*) FROM pg_stat_activity WHERE datname = '{database}' AND backend_type = 'client backend'"
        deadline = time.monotonic() + 60
        while self.sql(others) != [["0"]]:
            if time.monotonic() > deadline:
                raise Failure("sessions of a finished measurement are still there")
            time.sleep(0.05)

    def marks(self):
        """The end of the WAL and the next transaction id. Taking them writes nothing and uses none."""
        [[lsn, xid]] = self.sql("SELECT pg_current_wal_insert_lsn(), pg_snapshot_xmax(pg_current_snapshot())")
        return lsn, int(xid)

    def wal(self, start, end):
        """Bytes of WAL between two places, and how many of them are full pages."""
        [[total]] = self.sql(f"SELECT pg_wal_lsn_diff('{end}', '{start}')")
        return int(total), sum(kind.full_pages for kind in self.wal_records(start, end).values())

    def wal_records(self, start, end):
        """What the WAL between two places is made of: each type of record, and how much of it."""
        # A durable commit of anything brings what came before it to disk, where pg_waldump finds it.
        self.sql("SET synchronous_commit = on; SELECT pg_logical_emit_message(true, 'bench', '')")
        folder = self.folder / "data" / "pg_wal"
        stats = run([self.bin / "pg_waldump", "--stats=record", "-p", folder, "-s", start, "-e", end])
        # Type, records and their share, bytes without full pages and their share, bytes of full pages, and so on.
        lines = re.findall(r"^(\w+/\S+)\s+(\d+) \([^)]*\)\s+(\d+) \([^)]*\)\s+(\d+) \(", stats, re.MULTILINE)
        if not lines:
            raise Failure(f"pg_waldump printed no records:\n{stats}")
        return {name: Records(*map(int, numbers)) for name, *numbers in lines}
