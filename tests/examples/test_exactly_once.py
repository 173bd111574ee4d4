"""The worker with psycopg: what a job writes is there once and only where the job has succeeded, whatever happens."""

import psycopg
import pytest

from until import until

WORKER = "python/psycopg_worker.py"

pytestmark = pytest.mark.usefixtures("shown")


@pytest.fixture(scope="module")
def file():
    return WORKER


@pytest.fixture
def worker(database, start):
    worker = start(WORKER)
    until(lambda: database.waited_for() or not worker.alive())
    yield worker
    worker.kill()


def sent(database, job):
    return database.value("SELECT count(*) FROM sent WHERE job = %s", job)


def test_a_worker_that_is_killed_before_its_commit_leaves_nothing(worker, database, start):
    with psycopg.connect(database.dsn) as lock:
        lock.execute("LOCK TABLE sent IN SHARE MODE")
        job = database.enqueue('{"to": "ada@example.org"}')
        until(lambda: database.value("SELECT count(*) FROM pg_locks WHERE NOT granted"))
        worker.kill()
    until(lambda: database.outcomes(job) == ["released"])
    assert sent(database, job) == 0
    second = start(WORKER)
    until(lambda: database.status(job) == "successful")
    assert sent(database, job) == 1
    second.kill()


def test_a_job_that_is_canceled_while_it_runs_leaves_nothing(worker, database):
    job = database.enqueue('{"to": "ada@example.org", "seconds": 1}')
    until(database.claims)
    database.rows("SELECT pgq.cancel(%s)", [job])
    next_job = database.enqueue('{"to": "bob@example.org"}')
    until(lambda: database.status(next_job) == "successful")
    assert database.status(job) == "canceled"
    assert (sent(database, job), sent(database, next_job)) == (0, 1)
