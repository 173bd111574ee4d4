"""Claiming and ending claims from psycopg, each call in the ways that the driver can send it."""

import uuid
from datetime import timedelta

import psycopg
import pytest
from psycopg.types.json import Json, Jsonb

BACKOFF = "SELECT execute_after - clock_timestamp() > interval '1 hour' FROM pgq.jobs WHERE id = %s"


@pytest.fixture
def claimed(call, entrypoint):
    """Enqueues and claims jobs for this session; returns their ids."""

    def claim(count=1):
        call.value("SELECT pgq.enqueue_many(%s, %s)", [entrypoint], [b"x"] * count)
        jobs = [row["id"] for row in call.rows("SELECT id FROM pgq.dequeue(%s, %s)", [entrypoint], count)]
        assert len(jobs) == count
        return jobs

    return claim


def status(call, *jobs):
    return [row["status"] for row in call.rows("SELECT status FROM pgq.status(%s)", list(jobs))]


def logged(call, job):
    return call.value("SELECT error FROM pgq.job_log WHERE job_id = %s ORDER BY finished DESC LIMIT 1", job)


def test_dequeue_takes_a_list_of_entrypoints_and_returns_whole_jobs(call, entrypoint):
    other = f"{entrypoint}_2"
    first = call.value("SELECT pgq.enqueue(%s, 'a', priority => 1, headers => %s)", other, Jsonb({"h": 1}))
    second = call.value("SELECT pgq.enqueue(%s, 'b')", entrypoint)
    rows = call.rows("SELECT * FROM pgq.dequeue(%s, %s)", [entrypoint, other, "no such"], 10)
    assert [row["id"] for row in rows] == [first, second]
    one = rows[0]
    assert (one["entrypoint"], one["payload"], one["headers"]) == (other, b"a", {"h": 1})
    assert (one["priority"], one["status"], one["attempts"]) == (1, "picked", 0)
    assert isinstance(one["worker"], uuid.UUID)
    assert one["created"] == one["execute_after"] and one["picked"].tzinfo is not None


def test_dequeue_takes_a_list_of_one(call, entrypoint):
    job = call.value("SELECT pgq.enqueue(%s)", entrypoint)
    assert [row["id"] for row in call.rows("SELECT * FROM pgq.dequeue(%s)", [entrypoint])] == [job]


def test_dequeue_takes_names_that_an_array_literal_must_quote(call, entrypoint):
    names = [f'{entrypoint} "{{a}},\\b"', f"{entrypoint} NULL", f"{entrypoint} é"]
    jobs = call.value("SELECT pgq.enqueue_many(%s, %s)", names, [b"1", b"2", b"3"])
    rows = call.rows("SELECT id, entrypoint FROM pgq.dequeue(%s, 10)", names)
    assert [(row["id"], row["entrypoint"]) for row in rows] == list(zip(jobs, names))


def test_dequeue_takes_its_options_by_name(call, entrypoint, worker):
    call.value("SELECT pgq.enqueue_many(%s, %s)", [entrypoint], [b"x"] * 5)
    sql = "SELECT worker FROM pgq.dequeue(%s, batch_size => %s, worker => %s, lease => %s, max_in_flight => %s)"
    rows = call.rows(sql, [entrypoint], 4, worker, timedelta(minutes=5), 3)
    assert [row["worker"] for row in rows] == [worker] * 3
    assert call.value("SELECT lease FROM pgq.workers WHERE worker = %s", worker) == timedelta(minutes=5)


def test_a_worker_can_be_a_string(call, entrypoint, worker):
    job = call.value("SELECT pgq.enqueue(%s)", entrypoint)
    (row,) = call.rows("SELECT worker FROM pgq.dequeue(%s, worker => %s)", [entrypoint], str(worker))
    assert row["worker"] == worker
    assert call.value("SELECT pgq.complete(%s, worker => %s)", job, str(worker)) is True


@pytest.mark.parametrize("binary", [False, True])
def test_jobs_read_the_same_in_text_and_binary_results(db, entrypoint, binary):
    """Binary values of an enum come as bytes, unless psycopg is told of the type: hence the cast."""
    job = db.execute("SELECT pgq.enqueue(%s, %s)", [entrypoint, b"\x00\xff"]).fetchone()[0]
    sql = "SELECT id, payload, status::text, attempts FROM pgq.dequeue(%s)"
    assert db.execute(sql, [[entrypoint]], binary=binary).fetchall() == [(job, b"\x00\xff", "picked", 0)]


def test_complete_takes_an_id_as_dequeue_gave_it(call, claimed):
    (job,) = claimed()
    assert call.value("SELECT pgq.complete(%s)", job) is True
    assert call.value("SELECT pgq.complete(%s)", job) is False
    assert status(call, job) == ["successful"]


def test_complete_of_none_is_refused(call):
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        call.value("SELECT pgq.complete(%s)", None)


def test_complete_many_takes_a_list_and_returns_those_completed(call, claimed):
    jobs = claimed(3)
    asked = [jobs[2], jobs[0], 2**62]
    assert sorted(call.value("SELECT pgq.complete_many(%s)", asked)) == [jobs[0], jobs[2]]
    assert status(call, *jobs) == ["successful", "picked", "successful"]


def test_complete_many_of_nothing_completes_nothing(call, claimed):
    (job,) = claimed()
    assert call.value("SELECT pgq.complete_many(%s)", []) == []
    assert status(call, job) == ["picked"]


def test_an_id_is_no_list(call):
    with pytest.raises(psycopg.Error) as error:
        call.value("SELECT pgq.complete_many(%s)", 1)
    assert error.value.sqlstate == "42883"


def test_a_list_is_no_id(call, claimed):
    jobs = claimed(2)
    with pytest.raises(psycopg.Error) as error:
        call.value("SELECT pgq.complete(%s)", jobs)
    assert error.value.sqlstate in ("42883", "22P02")
    assert status(call, *jobs) == ["picked", "picked"]


def test_fail_without_a_text(call, claimed):
    (job,) = claimed()
    assert call.value("SELECT pgq.fail(%s)", job) == "queued"
    assert logged(call, job) is None
    assert call.value("SELECT pgq.fail(%s)", job) is None


@pytest.mark.parametrize("argument", ["%s", "error => %s"])
def test_fail_with_a_text(call, claimed, argument):
    (job,) = claimed()
    assert call.value(f"SELECT pgq.fail(%s, {argument})", job, 'C:\\dir "x"') == "queued"
    assert logged(call, job) == 'C:\\dir "x"'


@pytest.mark.parametrize("argument", ["%s", "error => %s", "error_json => %s", "error_jsonb => %s"])
def test_fail_with_none_is_a_failure_without_an_error(call, claimed, argument):
    (job,) = claimed()
    assert call.value(f"SELECT pgq.fail(%s, {argument})", job, None) == "queued"
    assert logged(call, job) is None


@pytest.mark.parametrize(
    "argument, wrapper", [("%s", Json), ("%s", Jsonb), ("error_json => %s", Json), ("error_jsonb => %s", Jsonb)]
)
def test_fail_with_json(call, claimed, argument, wrapper):
    (job,) = claimed()
    error = {"code": 503, "path": "C:\\dir", "trace": [1, None]}
    assert call.value(f"SELECT pgq.fail(%s, {argument})", job, wrapper(error)) == "queued"
    assert logged(call, job) == error


def test_fail_says_what_the_job_is_now(call, claimed, entrypoint):
    call.rows("SELECT pgq.configure(%s, max_attempts => %s)", entrypoint, 1)
    (held,) = claimed()
    assert call.value("SELECT pgq.fail(%s, %s)", held, "boom") == "failed"
    call.rows("SELECT pgq.configure(%s, on_failure => %s)", entrypoint, "delete")
    (gone,) = claimed()
    assert call.value("SELECT pgq.fail(%s, %s)", gone, "boom") == "exception"


@pytest.mark.parametrize("argument, value", [
    ("%s", timedelta(hours=2)), ("delay => %s", timedelta(hours=2)), ("%s", "2 hours"),
    ("make_interval(secs => %s)", 7200), ("delay => make_interval(hours => %s)", 2),
])
def test_retry_with_a_delay(call, claimed, argument, value):
    (job,) = claimed()
    assert call.value(f"SELECT pgq.retry(%s, {argument}, reason => %s)", job, value, "later") is True
    assert call.value(BACKOFF, job) is True
    assert logged(call, job) == "later"
    assert call.value("SELECT pgq.retry(%s)", job) is False


def test_retry_without_a_delay_is_due_at_once(call, claimed, entrypoint):
    (job,) = claimed()
    assert call.value("SELECT pgq.retry(%s)", job) is True
    (row,) = call.rows("SELECT id, attempts FROM pgq.dequeue(%s)", [entrypoint])
    assert row == {"id": job, "attempts": 1}


def test_finish_takes_lists_of_words_and_of_errors(call, claimed):
    jobs = claimed(3)
    words, errors = ["successful", "exception", "failed"], [None, Jsonb({"code": 503}), Jsonb("boom")]
    assert call.value("SELECT pgq.finish(%s, %s, %s)", jobs, words, errors) == jobs
    assert status(call, *jobs) == words
    assert [logged(call, job) for job in jobs] == [None, {"code": 503}, "boom"]


def test_finish_without_errors(call, claimed):
    jobs = claimed(2)
    assert call.value("SELECT pgq.finish(%s, %s)", jobs, ["successful", "failed"]) == jobs


def test_finish_of_nothing_ends_nothing(call):
    assert call.value("SELECT pgq.finish(%s, %s)", [], []) == []


def test_finish_refuses_a_word_it_does_not_know_and_ends_nothing(call, claimed):
    jobs = claimed(2)
    with pytest.raises(psycopg.errors.InvalidParameterValue) as error:
        call.value("SELECT pgq.finish(%s, %s)", jobs, ["successful", "done"])
    assert "outcomes" in error.value.diag.message_primary
    assert "exception" in error.value.diag.message_hint
    assert status(call, *jobs) == ["picked", "picked"]


def test_release_gives_back_without_counting_the_attempt(call, claimed, entrypoint):
    jobs = claimed(2)
    assert sorted(call.value("SELECT pgq.release(%s)", jobs)) == jobs
    assert call.value("SELECT pgq.release(%s)", []) == []
    rows = call.rows("SELECT id, attempts FROM pgq.dequeue(%s, 10)", [entrypoint])
    assert rows == [{"id": job, "attempts": 0} for job in jobs]


@pytest.mark.parametrize("form", [uuid.UUID, str])
def test_heartbeat_names_the_claims_that_were_lost(call, entrypoint, worker, form):
    jobs = call.value("SELECT pgq.enqueue_many(%s, %s)", [entrypoint], [b"x"] * 3)
    call.rows("SELECT * FROM pgq.dequeue(%s, 3, worker => %s)", [entrypoint], worker)
    me = form(str(worker))
    assert call.value("SELECT pgq.heartbeat(%s)", me) == []
    assert call.value("SELECT pgq.heartbeat(%s, held => %s)", me, jobs) == []
    assert call.value("SELECT pgq.cancel(%s)", [jobs[1]]) == [jobs[1]]
    assert call.value("SELECT pgq.heartbeat(%s, %s, %s)", me, timedelta(minutes=1), jobs) == [jobs[1]]
    assert call.value("SELECT pgq.heartbeat(%s, held => %s)", me, []) == []


def test_the_number_of_the_attempt_fences(call, claimed):
    (job,) = claimed()
    assert call.value("SELECT pgq.complete(%s, attempt => %s)", job, 1) is False
    assert call.value("SELECT pgq.complete_many(%s, attempts => %s)", [job], [1]) == []
    assert call.value("SELECT pgq.complete(%s, attempt => %s)", job, 0) is True


def test_a_pipeline_works_a_job_from_end_to_end(db, entrypoint):
    with db.pipeline():
        enqueued = db.execute("SELECT pgq.enqueue(%s, %s)", [entrypoint, "x"])
        claimed = db.execute("SELECT id FROM pgq.dequeue(%s)", [[entrypoint]])
        job = claimed.fetchone()[0]
        completed = db.execute("SELECT pgq.complete(%s)", [job])
        nothing = db.execute("SELECT pgq.complete_many(%s)", [[]])
    assert (enqueued.fetchone(), completed.fetchone(), nothing.fetchone()) == ((job,), (True,), ([],))


def test_a_server_side_cursor_claims_all_that_was_asked_for(db, entrypoint):
    jobs = db.execute("SELECT pgq.enqueue_many(%s, %s)", [[entrypoint], [b"x"] * 5]).fetchone()[0]
    with db.transaction(), db.cursor("claims") as cursor:
        cursor.execute("SELECT id FROM pgq.dequeue(%s, 4)", [[entrypoint]])
        assert cursor.fetchone() == (jobs[0],)
    rows = db.execute("SELECT id FROM pgq.jobs WHERE status = 'picked' AND entrypoint = %s ORDER BY id", [entrypoint])
    assert [row[0] for row in rows] == jobs[:4]


def test_trap_one_entrypoint_is_no_list(call, entrypoint):
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="malformed array literal"):
        call.rows("SELECT * FROM pgq.dequeue(%s)", entrypoint)


@pytest.mark.parametrize("shape", ["pgq.dequeue(%s)", "(pgq.dequeue(%s)).*"])
def test_trap_dequeue_in_a_select_list_is_refused_and_claims_nothing(call, entrypoint, shape):
    job = call.value("SELECT pgq.enqueue(%s)", entrypoint)
    with pytest.raises(psycopg.errors.FeatureNotSupported) as error:
        call.rows(f"SELECT {shape}", [entrypoint])
    assert "FROM pgq.dequeue" in error.value.diag.message_hint
    assert status(call, job) == ["queued"]


def test_trap_finish_takes_no_array_of_the_enum(call, claimed):
    jobs = claimed()
    with pytest.raises(psycopg.errors.UndefinedFunction):
        call.value("SELECT pgq.finish(%s, %s::pgq.job_status[])", jobs, ["successful"])
