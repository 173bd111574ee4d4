"""Where a system is measured: a database of its own on the one server, and processes that drive it."""
import json
import re
import shutil
import subprocess
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg

from peers.driver import Driver
from server import CHECKOUT, run, setting

HERE = Path(__file__).resolve().parent
DATABASE = "peer"
CONTROL = "control"
#: No measurement takes longer; a hung driver would.
HUNG = 300


class Ground:
    def __init__(self, server, packages, folder, log):
        self.server, self.packages, self.log = server, packages, log
        # Node looks for modules beside a script and above it.
        self.drivers = Path(shutil.copytree(HERE / "drivers", folder / "drivers"))
        (folder / "node_modules").symlink_to(packages.folder / "node_modules")
        self.client = built_client()
        server.sql(f"CREATE DATABASE {CONTROL}")
        server.sql("CREATE EXTENSION pg_stat_statements", CONTROL)
        self.pgbench("-i", "-q", "-s", "10")

    def command(self, system):
        if system.driver == "client":
            return [self.client]
        program = self.packages.python if system.driver.endswith(".py") else self.packages.node
        return [program, self.drivers / system.driver]

    def start(self, system, operation, database=DATABASE, **options):
        options = {"dsn": self.server.database(database), "texts": system.texts, **options}
        return Driver([*self.command(system), operation, json.dumps(options)], self.log)

    def once(self, system, operation, **options):
        """Runs an operation to its end, and returns its result."""
        with self.start(system, operation, **options) as driver:
            if operation != "install":
                driver.expect("ready", 60)
                driver.begin()
            return driver.expect("result", HUNG)

    @contextmanager
    def database(self, system, name=DATABASE):
        """A new database with nothing but the system, and a connection to it."""
        with self.server.fresh_database(name):
            self.once(system, "install", database=name)
            with psycopg.connect(self.server.database(name), autocommit=True) as connection:
                yield connection

    @contextmanager
    def workers(self, system, options):
        """Worker processes that are ready to begin."""
        options = dict(options)
        count = options.pop("processes", 1)
        with ExitStack() as stack:
            drivers = [stack.enter_context(self.start(system, "work", **options)) for _ in range(count)]
            for driver in drivers:
                driver.expect("ready", 60)
            yield drivers

    def control(self):
        """Transactions of pgbench a second: how fast the machine is at this moment."""
        report = self.pgbench("-n", "-N", "-M", "prepared", "-c", "4", "-j", "2", "-T", "1")
        return float(re.search(r"^tps = ([0-9.]+) \(without", report, re.MULTILINE)[1])

    def pgbench(self, *options):
        return run([self.server.bin / "pgbench", *options, self.server.database(CONTROL)])


@contextmanager
def ground(server, packages, log):
    folder = Path(tempfile.mkdtemp(prefix="pgqueuer-peers-"))
    try:
        yield Ground(server, packages, folder, log)
    finally:
        shutil.rmtree(folder)


def built_client():
    """The driver on pgqueuer's own client, compiled."""
    package = "pgqueuer-bench-client"
    command = ["cargo", "build", "--quiet", "--release", "--locked", "-p", package]
    subprocess.run(["bash", "-c", '. .ci/env && exec "$@"', "-", *command], check=True, cwd=CHECKOUT)
    return Path(setting("CARGO_TARGET_DIR")) / "release" / package
