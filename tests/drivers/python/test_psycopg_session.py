"""What belongs to a session in psycopg: its claims, its pool, its notifications, its transactions and its errors."""

import json

import psycopg
import pytest
from psycopg_pool import ConnectionPool

from until import DEADLINE, until


@pytest.fixture
def pool(dsn):
    with ConnectionPool(dsn, min_size=2, max_size=2, open=True) as pool:
        yield pool


def enqueue(db, entrypoint):
    return db.execute("SELECT pgq.enqueue(%s, 'x')", [entrypoint]).fetchone()[0]


def dequeue(db, entrypoint, worker=None):
    return [row[0] for row in db.execute("SELECT id FROM pgq.dequeue(%s, worker => %s)", [[entrypoint], worker])]


def complete(db, job, worker=None):
    return db.execute("SELECT pgq.complete(%s, worker => %s)", [job, worker]).fetchone()[0]


def status(db, job):
    return db.execute("SELECT status FROM pgq.status(%s)", [[job]]).fetchone()[0]


def collect_notices(db):
    """A list that notices are added to. What a notice says can be read only while its handler runs."""
    notices = []
    db.add_notice_handler(lambda n: notices.append((n.severity_nonlocalized, n.message_primary, n.message_hint)))
    return notices


def message(db, wanted):
    """The next notification that is wanted: an empty one only says that there may be jobs, and may come any time."""
    for note in db.notifies(timeout=DEADLINE):
        if wanted(note):
            return note
    raise AssertionError("no such notification arrived")


def test_a_session_claims_and_completes_on_one_connection(db, entrypoint):
    jobs = [enqueue(db, entrypoint) for _ in range(3)]
    for job in jobs:
        assert dequeue(db, entrypoint) == [job]
        assert complete(db, job) is True
    assert dequeue(db, entrypoint) == []


def test_a_closed_connection_gives_its_claims_back(connect, entrypoint):
    worker, other = connect(), connect()
    job = enqueue(other, entrypoint)
    assert dequeue(worker, entrypoint) == [job]
    assert dequeue(other, entrypoint) == []
    worker.close()
    assert until(lambda: dequeue(other, entrypoint)) == [job]


def test_a_claim_in_a_transaction_that_rolls_back_is_given_back(connect, entrypoint):
    worker, other = connect(autocommit=False), connect()
    job = enqueue(other, entrypoint)
    assert dequeue(worker, entrypoint) == [job]
    assert status(other, job) == "picked"
    worker.rollback()
    assert status(other, job) == "queued"


def test_trap_another_connection_of_the_pool_cannot_complete_and_a_warning_says_why(pool, entrypoint):
    with pool.connection() as one, pool.connection() as two:
        notices = collect_notices(two)
        job = enqueue(one, entrypoint)
        one.commit()
        assert dequeue(one, entrypoint) == [job]
        one.commit()
        assert complete(two, job) is False
        ((severity, text, hint),) = notices
        assert severity == "WARNING" and str(job) in text and "worker =>" in hint
        assert status(two, job) == "picked"
        assert complete(one, job) is True


def test_a_named_worker_completes_on_another_connection_of_the_pool(pool, entrypoint, worker):
    with pool.connection() as one, pool.connection() as two:
        notices = collect_notices(two)
        job = enqueue(one, entrypoint)
        one.commit()
        assert dequeue(one, entrypoint, worker) == [job]
        one.commit()
        assert complete(two, job, worker) is True
        assert notices == []


def test_listen_hears_of_a_new_job(connect, entrypoint):
    listener, producer = connect(), connect()
    ((channel,),) = listener.execute("SELECT pgq.listen(%s)", [[entrypoint]]).fetchall()
    enqueue(producer, entrypoint)
    note = message(listener, lambda note: note.channel == channel)
    assert note.payload == ""


def test_listen_hears_of_each_of_its_entrypoints(connect, entrypoint):
    listener, producer = connect(), connect()
    names = [f"{entrypoint}_2", f"{entrypoint} with Blanks"]
    channels = [row[0] for row in listener.execute("SELECT pgq.listen(%s)", [names])]
    assert channels == [producer.execute("SELECT pgq.channel(%s)", [name]).fetchone()[0] for name in names]
    for name, channel in zip(names, channels):
        enqueue(producer, name)
        assert message(listener, lambda note: note.channel == channel).payload == ""


def test_listen_hears_that_a_running_job_was_canceled(connect, entrypoint):
    worker, operator = connect(), connect()
    worker.execute("SELECT pgq.listen(%s)", [[entrypoint]])
    job = enqueue(operator, entrypoint)
    assert dequeue(worker, entrypoint) == [job]
    operator.execute("SELECT pgq.cancel(%s)", [[job]])
    assert json.loads(message(worker, lambda note: note.payload).payload) == {"event": "canceled", "ids": [job]}
    assert complete(worker, job) is False


def test_a_channel_can_be_listened_to_by_name(connect, entrypoint):
    listener, producer = connect(), connect()
    channel = listener.execute("SELECT pgq.channel(%s)", [entrypoint]).fetchone()[0]
    listener.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(channel)))
    enqueue(producer, entrypoint)
    assert message(listener, lambda note: note.channel == channel).payload == ""


def test_a_bad_argument_is_named_and_explained(db):
    with pytest.raises(psycopg.errors.InvalidParameterValue) as error:
        db.execute("SELECT pgq.enqueue(%s, 'x')", [""])
    diag = error.value.diag
    assert (error.value.sqlstate, diag.sqlstate, diag.severity_nonlocalized) == ("22023", "22023", "ERROR")
    assert "entrypoint" in diag.message_primary and diag.message_hint


def test_a_duplicate_key_is_in_the_detail(db, entrypoint):
    key = f'{entrypoint} "quoted" \\ é'
    db.execute("SELECT pgq.enqueue(%s, dedupe_key => %s)", [entrypoint, key])
    with pytest.raises(psycopg.errors.UniqueViolation) as error:
        db.execute("SELECT pgq.enqueue(%s, dedupe_key => %s)", [entrypoint, key])
    assert error.value.sqlstate == "23505"
    assert key in error.value.diag.message_detail
    assert "on_conflict" in error.value.diag.message_hint


@pytest.mark.parametrize(
    "command", ["UPDATE pgq.jobs SET priority = 1 WHERE id = %s", "DELETE FROM pgq.jobs WHERE id = %s"]
)
def test_changing_jobs_by_hand_is_refused_with_a_hint(db, entrypoint, command):
    job = enqueue(db, entrypoint)
    with pytest.raises(psycopg.errors.FeatureNotSupported) as error:
        db.execute(command, [job])
    assert "pgq.cancel" in error.value.diag.message_hint
    assert status(db, job) == "queued"


def test_trap_after_an_error_the_default_transaction_takes_no_fail(connect, entrypoint):
    worker, other = connect(autocommit=False), connect()
    job = enqueue(other, entrypoint)
    assert dequeue(worker, entrypoint) == [job]
    worker.commit()
    with pytest.raises(psycopg.errors.DivisionByZero):
        worker.execute("SELECT 1 / 0")
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        worker.execute("SELECT pgq.fail(%s, %s)", [job, "boom"])
    worker.rollback()
    assert worker.execute("SELECT pgq.fail(%s, %s)", [job, "boom"]).fetchone() == ("queued",)


def test_a_savepoint_around_the_work_leaves_fail_possible(connect, entrypoint):
    worker, other = connect(autocommit=False), connect()
    job = enqueue(other, entrypoint)
    assert dequeue(worker, entrypoint) == [job]
    with pytest.raises(psycopg.errors.DivisionByZero), worker.transaction():
        worker.execute("SELECT 1 / 0")
    assert worker.execute("SELECT pgq.fail(%s, %s)", [job, "boom"]).fetchone() == ("queued",)
    worker.commit()
    assert status(other, job) == "queued"


def test_the_work_and_its_completion_commit_together(connect, entrypoint):
    worker, other = connect(autocommit=False), connect()
    job, next_name = enqueue(other, entrypoint), f"{entrypoint}_next"
    assert dequeue(worker, entrypoint) == [job]
    worker.commit()
    enqueue(worker, next_name)
    assert complete(worker, job) is True
    worker.rollback()
    assert status(other, job) == "picked"
    assert dequeue(other, next_name) == []
    follow_up = enqueue(worker, next_name)
    assert complete(worker, job) is True
    worker.commit()
    assert status(other, job) == "successful"
    assert dequeue(other, next_name) == [follow_up]
