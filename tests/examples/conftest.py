"""A fresh database for each program, and what starts programs against it."""

import os
import re
import uuid

import psycopg
import pytest

from program import COMMANDS, Program

DSN = os.environ["PGQUEUER_TEST_DSN"]

# The worker of the shell runs any command; here it is one that does what the other workers do.
COMMANDS["shell/worker"] = ["examples/shell/worker", "welcome", "python", "tests/examples/send.py"]


class Database:
    """A session of the test's own in its database."""

    def __init__(self, name, dsn):
        self.name = name
        self.dsn = dsn
        self.session = psycopg.connect(dsn, autocommit=True)

    def rows(self, sql, *parameters):
        return self.session.execute(sql, parameters or None).fetchall()

    def value(self, sql, *parameters):
        ((value,),) = self.rows(sql, *parameters)
        return value

    def enqueue(self, payload, delay=None):
        return self.value("SELECT pgq.enqueue('welcome', %s, delay => %s)", payload, delay)

    def status(self, job):
        return self.value("SELECT status FROM pgq.status(%s)", [job])

    def outcomes(self, job):
        """How its attempts ended, in their order."""
        rows = self.rows("SELECT outcome FROM pgq.job_log WHERE job_id = %s ORDER BY finished", job)
        return [outcome for (outcome,) in rows]

    def claims(self):
        return self.value("SELECT count(*) FROM pgq.jobs WHERE status = 'picked'")

    def sessions(self):
        """Those of the programs: the process, what it does, its last statement and when that began."""
        return self.rows(
            """SELECT pid, state, query, query_start FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
                ORDER BY pid"""
        )

    def waited_for(self):
        """Whether a worker has found nothing to do, and sleeps."""
        return any(
            (state == "active" and "pgq.wait" in query) or (state == "idle" and "pgq.dequeue" in query)
            for _, state, query, _ in self.sessions()
        )

    def terminate(self):
        """Ends the sessions of the programs, as a restart of the server does."""
        for pid, *_ in self.sessions():
            self.rows("SELECT pg_terminate_backend(%s, 10000)", pid)


@pytest.fixture(scope="module")
def server():
    with psycopg.connect(DSN, autocommit=True) as server:
        yield server


@pytest.fixture(scope="module")
def database(server, file):
    """One for each program: `file` is a fixture of the test's module."""
    name = f"pgqueuer_example_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")
    database = Database(name, re.sub(r"/[^/?]+(\?|$)", rf"/{name}\1", DSN))
    database.session.execute("CREATE EXTENSION pgqueuer")
    database.rows("SELECT pgq.configure('welcome', max_attempts => 2, backoff_initial => '10 ms')")
    yield database
    database.session.close()
    server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def start(database, tmp_path_factory):
    """Starts a program of examples/, with further arguments. What runs when the tests of `file` are done is killed."""
    folder, programs = tmp_path_factory.mktemp("output"), []

    def start_one(file, *arguments):
        programs.append(Program([*COMMANDS[file], *arguments], database.dsn, folder / f"{len(programs)}.log"))
        return programs[-1]

    start_one.programs = programs
    yield start_one
    for program in programs:
        program.kill()


@pytest.fixture
def shown(start, database):
    """What there is to see where a test has failed."""
    yield
    for program in start.programs:
        print(f"{program.log}:\n{program.output()}")
    print(*database.rows("SELECT * FROM pgq.jobs"), *database.rows("SELECT * FROM pgq.job_log"), sep="\n")
