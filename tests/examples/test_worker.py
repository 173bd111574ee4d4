"""Every worker: what it does with jobs, when it wakes, how it ends, and how it comes back."""

import signal
from datetime import timedelta

import pytest

from until import until

WORKERS = ["python/psycopg_worker.py", "python/asyncpg_worker.py", "node/worker.js", "shell/worker", "java/Worker.java"]

GOOD = '{"to": "ada@example.org"}'
LONG = '{"to": "ada@example.org", "seconds": 1}'

pytestmark = pytest.mark.usefixtures("shown")


@pytest.fixture(scope="module", params=WORKERS)
def file(request):
    return request.param


@pytest.fixture(scope="module")
def running(file):
    """The worker that the test before has left, if it has not ended it."""
    return []


@pytest.fixture
def worker(file, database, start, running):
    """A worker that has nothing to do, and sleeps."""
    database.rows("SELECT pgq.clear()")
    if not running or not running[-1].alive():
        running.append(start(file))
    worker = running[-1]
    until(lambda: database.waited_for() or not worker.alive())
    return worker


def test_what_succeeds_is_completed_and_what_fails_is_held_with_its_error(worker, database):
    good, bad, junk = database.enqueue(GOOD), database.enqueue('{"to": "ada"}'), database.enqueue("no JSON")
    until(lambda: database.status(good) == "successful" and {database.status(bad), database.status(junk)} == {"failed"})
    assert database.outcomes(good) == ["successful"]
    for job in bad, junk:
        assert database.outcomes(job) == ["retried", "failed"]
        assert database.value("SELECT error #>> '{}' FROM pgq.status(%s)", [job])
    assert worker.alive() and database.claims() == 0


def test_it_wakes_when_a_job_is_due_and_asks_nothing_before(worker, database):
    job = database.enqueue(GOOD, timedelta(seconds=2))
    due = database.value("SELECT execute_after FROM pgq.jobs WHERE id = %s", job)

    def sessions_before_due(seconds):
        until(lambda: database.value("SELECT clock_timestamp() > %s", due - timedelta(seconds=seconds)))
        return database.sessions()

    # The enqueueing itself may have set something off, which has half a second to settle.
    assert sessions_before_due(1.5) == sessions_before_due(0.2)
    until(lambda: database.status(job) == "successful")
    late = database.value("SELECT picked FROM pgq.job_log WHERE job_id = %s", job) - due
    assert timedelta(0) <= late < timedelta(seconds=1)


def test_it_survives_the_loss_of_its_connection(worker, database):
    for _ in range(2):
        until(database.waited_for)
        database.terminate()
        job = database.enqueue(GOOD)
        until(lambda: database.status(job) == "successful")
    assert worker.alive()


def test_a_job_whose_worker_loses_its_connection_is_run_again(worker, database):
    job = database.enqueue(LONG)
    until(database.claims)
    database.terminate()
    until(lambda: database.status(job) == "successful")
    *before, last = database.outcomes(job)
    # The worker with a name gives it back itself, and then the attempt does not count.
    assert (before, last) in ((["released"], "successful"), ([], "successful"))


@pytest.fixture
def away(worker, database, server):
    """As when the server restarts: sessions end, and for a while there are no new ones. Calling it ends the while."""
    before = worker.output().count("next try")
    server.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS false")
    database.terminate()
    until(lambda: worker.output().count("next try") >= before + 2 or not worker.alive())
    back = lambda: server.execute(f"ALTER DATABASE {database.name} ALLOW_CONNECTIONS true")
    yield back
    back()


def test_it_comes_back_when_the_server_does(worker, database, away):
    job = database.enqueue(GOOD)
    away()
    until(lambda: database.status(job) == "successful")
    assert worker.alive()


def test_a_signal_ends_it_while_the_server_is_away(worker, away):
    assert worker.stop() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_sleeps(worker, database, number):
    assert worker.stop(number) == 0
    until(lambda: not database.sessions())


def test_a_signal_lets_it_finish_what_it_has_begun(worker, database):
    jobs = [database.enqueue(LONG) for _ in range(12)]
    until(database.claims)
    assert worker.stop() == 0
    assert database.claims() == 0
    outcomes = [database.outcomes(job) for job in jobs]
    assert ["successful"] in outcomes and [] in outcomes, "some are done, the others have not been taken"
    assert all(outcome in ([], ["successful"]) for outcome in outcomes)
