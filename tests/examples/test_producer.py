"""Every producer: what it leaves in the queue, and that the worker beside it can do that."""

import subprocess
from datetime import timedelta

import pytest

from program import COMMANDS, ROOT, environment
from until import until

OF_MAILS = {
    "python/psycopg_producer.py": "python/psycopg_worker.py",
    "python/asyncpg_producer.py": "python/asyncpg_worker.py",
    "node/producer.js": "node/worker.js",
    "java/Producer.java": "java/Worker.java",
}
# Read once too often as JSON, as bytes, as an array or as SQL, it is not the same any more.
ODD = r"""\x41 '{"o'neil", \\u0041, :'entrypoint' $(true)}@example.org"""
pytestmark = pytest.mark.usefixtures("shown")
SECOND, AT_ONCE = timedelta(seconds=1), timedelta(0)

of_mails = pytest.mark.parametrize("file", OF_MAILS, scope="module")
of_the_shell = pytest.mark.parametrize("file", ["shell/producer"], scope="module")


@of_mails
def test_where_one_call_fails_nothing_is_enqueued(file, database, start):
    database.session.execute("ALTER FUNCTION pgq.enqueue_many_text RENAME TO away")
    assert start(file).wait() != 0
    assert database.value("SELECT count(*) FROM pgq.jobs") == 0
    database.session.execute("ALTER FUNCTION pgq.away RENAME TO enqueue_many_text")


@of_mails
def test_mails_are_enqueued_as_json_as_bytes_and_in_one_call(file, database, start):
    assert COMMANDS[file][-2:] == ["ada@example.org", "ada"]
    producer = start(file, ODD)
    assert producer.wait() == 0, producer.output()
    assert database.rows(
        "SELECT priority, execute_after - created, pgq.payload_json(payload) ->> 'to' FROM pgq.jobs ORDER BY id"
    ) == [
        (5, AT_ONCE, "ada@example.org"),
        (0, SECOND, "ada@example.org"),
        (0, AT_ONCE, "ada@example.org"),
        (0, AT_ONCE, "ada"),
        (0, AT_ONCE, ODD),
    ]


@of_mails
def test_the_worker_beside_it_does_the_jobs(file, database, start):
    start(OF_MAILS[file])
    outcomes = "SELECT outcome, count(*) FROM pgq.job_log GROUP BY outcome ORDER BY outcome"
    until(lambda: database.rows(outcomes) == [("failed", 1), ("successful", 4), ("retried", 1)])


@of_the_shell
def test_text_and_bytes_are_enqueued_as_they_are(file, database):
    command, settings = COMMANDS[file][:1], {"cwd": ROOT, "env": environment(database.dsn), "check": True}
    data = bytes(range(256)) * 500
    subprocess.run([*command, "o'neil", ODD], **settings)
    subprocess.run([*command, "welcome"], input=data, **settings)
    jobs = database.rows("SELECT entrypoint, payload FROM pgq.jobs ORDER BY id")
    assert jobs == [("o'neil", ODD.encode()), ("welcome", data)]
