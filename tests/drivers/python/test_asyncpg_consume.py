"""Claiming and ending claims from asyncpg, with statements from its cache, prepared by hand and for one use."""

import json
import uuid
from datetime import timedelta

import asyncpg
import pytest

BACKOFF = "SELECT execute_after - clock_timestamp() > interval '1 hour' FROM pgq.jobs WHERE id = $1"


@pytest.fixture
def claimed(acall, entrypoint):
    """Enqueues and claims jobs for this session; returns their ids."""

    async def claim(count=1):
        await acall.value("SELECT pgq.enqueue_many($1, $2)", [entrypoint], [b"x"] * count)
        jobs = [row["id"] for row in await acall.rows("SELECT id FROM pgq.dequeue($1, $2)", [entrypoint], count)]
        assert len(jobs) == count
        return jobs

    return claim


async def status(call, *jobs):
    return [row["status"] for row in await call.rows("SELECT status FROM pgq.status($1)", list(jobs))]


async def logged(call, job):
    text = await call.value("SELECT error FROM pgq.job_log WHERE job_id = $1 ORDER BY finished DESC LIMIT 1", job)
    return None if text is None else json.loads(text)


async def test_dequeue_takes_a_list_of_entrypoints_and_returns_whole_jobs(acall, entrypoint):
    other = f"{entrypoint}_2"
    first = await acall.value("SELECT pgq.enqueue($1, 'a', priority => 1, headers => $2)", other, '{"h": 1}')
    second = await acall.value("SELECT pgq.enqueue($1, 'b')", entrypoint)
    rows = await acall.rows("SELECT * FROM pgq.dequeue($1, $2)", [entrypoint, other, "no such"], 10)
    assert [row["id"] for row in rows] == [first, second]
    one = rows[0]
    assert (one["entrypoint"], one["payload"], one["headers"]) == (other, b"a", '{"h": 1}')
    assert (one["priority"], one["status"], one["attempts"]) == (1, "picked", 0)
    assert isinstance(one["worker"], uuid.UUID)
    assert one["created"] == one["execute_after"] and one["picked"].tzinfo is not None


async def test_dequeue_takes_names_that_an_array_literal_must_quote(acall, entrypoint):
    names = [f'{entrypoint} "{{a}},\\b"', f"{entrypoint} NULL", f"{entrypoint} é"]
    jobs = await acall.value("SELECT pgq.enqueue_many($1, $2)", names, [b"1", b"2", b"3"])
    rows = await acall.rows("SELECT id, entrypoint FROM pgq.dequeue($1, 10)", names)
    assert [tuple(row) for row in rows] == list(zip(jobs, names))


async def test_dequeue_takes_its_options_by_name(acall, entrypoint, worker):
    await acall.value("SELECT pgq.enqueue_many($1, $2)", [entrypoint], [b"x"] * 5)
    sql = "SELECT worker FROM pgq.dequeue($1, batch_size => $2, worker => $3, lease => $4, max_in_flight => $5)"
    rows = await acall.rows(sql, [entrypoint], 4, worker, timedelta(minutes=5), 3)
    assert [row["worker"] for row in rows] == [worker] * 3
    assert await acall.value("SELECT lease FROM pgq.workers WHERE worker = $1", worker) == timedelta(minutes=5)


async def test_a_worker_can_be_a_string(acall, entrypoint, worker):
    job = await acall.value("SELECT pgq.enqueue($1)", entrypoint)
    (row,) = await acall.rows("SELECT worker FROM pgq.dequeue($1, worker => $2)", [entrypoint], str(worker))
    assert row["worker"] == worker
    assert await acall.value("SELECT pgq.complete($1, worker => $2)", job, str(worker)) is True


async def test_complete_takes_an_id_as_dequeue_gave_it(acall, claimed):
    (job,) = await claimed()
    assert await acall.value("SELECT pgq.complete($1)", job) is True
    assert await acall.value("SELECT pgq.complete($1)", job) is False
    assert await status(acall, job) == ["successful"]


async def test_complete_of_none_is_refused(acall):
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await acall.value("SELECT pgq.complete($1)", None)


async def test_complete_many_takes_a_list_and_returns_those_completed(acall, claimed):
    jobs = await claimed(3)
    asked = [jobs[2], jobs[0], 2**62]
    assert sorted(await acall.value("SELECT pgq.complete_many($1)", asked)) == [jobs[0], jobs[2]]
    assert await status(acall, *jobs) == ["successful", "picked", "successful"]


async def test_complete_many_of_nothing_completes_nothing(acall, claimed):
    (job,) = await claimed()
    assert await acall.value("SELECT pgq.complete_many($1)", []) == []
    assert await status(acall, job) == ["picked"]


@pytest.mark.parametrize("sql, value", [("SELECT pgq.complete_many($1)", 1), ("SELECT pgq.complete($1)", [1])])
async def test_an_id_and_a_list_of_ids_are_not_taken_for_each_other(acall, sql, value):
    with pytest.raises(asyncpg.DataError):
        await acall.value(sql, value)


async def test_fail_without_a_text(acall, claimed):
    (job,) = await claimed()
    assert await acall.value("SELECT pgq.fail($1)", job) == "queued"
    assert await logged(acall, job) is None
    assert await acall.value("SELECT pgq.fail($1)", job) is None


@pytest.mark.parametrize("argument", ["$2", "error => $2"])
async def test_fail_with_a_text(acall, claimed, argument):
    (job,) = await claimed()
    assert await acall.value(f"SELECT pgq.fail($1, {argument})", job, 'C:\\dir "x"') == "queued"
    assert await logged(acall, job) == 'C:\\dir "x"'


@pytest.mark.parametrize("argument", ["$2", "error => $2", "error_json => $2", "error_jsonb => $2"])
async def test_fail_with_none_is_a_failure_without_an_error(acall, claimed, argument):
    (job,) = await claimed()
    assert await acall.value(f"SELECT pgq.fail($1, {argument})", job, None) == "queued"
    assert await logged(acall, job) is None


@pytest.mark.parametrize("argument", ["error_json => $2", "error_jsonb => $2"])
async def test_fail_with_json(acall, claimed, argument):
    (job,) = await claimed()
    error = {"code": 503, "path": "C:\\dir", "trace": [1, None]}
    assert await acall.value(f"SELECT pgq.fail($1, {argument})", job, json.dumps(error)) == "queued"
    assert await logged(acall, job) == error


async def test_fail_says_what_the_job_is_now(acall, claimed, entrypoint):
    await acall.rows("SELECT pgq.configure($1, max_attempts => $2)", entrypoint, 1)
    (held,) = await claimed()
    assert await acall.value("SELECT pgq.fail($1, $2)", held, "boom") == "failed"
    await acall.rows("SELECT pgq.configure($1, on_failure => $2)", entrypoint, "delete")
    (gone,) = await claimed()
    assert await acall.value("SELECT pgq.fail($1, $2)", gone, "boom") == "exception"


@pytest.mark.parametrize("argument, value", [
    ("$2", timedelta(hours=2)), ("delay => $2", timedelta(hours=2)), ("make_interval(secs => $2)", 7200),
    ("delay => make_interval(hours => $2)", 2),
])
async def test_retry_with_a_delay(acall, claimed, argument, value):
    (job,) = await claimed()
    assert await acall.value(f"SELECT pgq.retry($1, {argument}, reason => $3)", job, value, "later") is True
    assert await acall.value(BACKOFF, job) is True
    assert await logged(acall, job) == "later"
    assert await acall.value("SELECT pgq.retry($1)", job) is False


async def test_retry_without_a_delay_is_due_at_once(acall, claimed, entrypoint):
    (job,) = await claimed()
    assert await acall.value("SELECT pgq.retry($1)", job) is True
    (row,) = await acall.rows("SELECT id, attempts FROM pgq.dequeue($1)", [entrypoint])
    assert tuple(row) == (job, 1)


async def test_finish_takes_lists_of_words_and_of_errors(acall, claimed):
    jobs = await claimed(3)
    words, errors = ["successful", "exception", "failed"], [None, '{"code": 503}', '"boom"']
    assert await acall.value("SELECT pgq.finish($1, $2, $3)", jobs, words, errors) == jobs
    assert await status(acall, *jobs) == words
    assert [await logged(acall, job) for job in jobs] == [None, {"code": 503}, "boom"]


async def test_finish_without_errors(acall, claimed):
    jobs = await claimed(2)
    assert await acall.value("SELECT pgq.finish($1, $2)", jobs, ["successful", "failed"]) == jobs


async def test_finish_of_nothing_ends_nothing(acall):
    assert await acall.value("SELECT pgq.finish($1, $2)", [], []) == []


async def test_finish_refuses_a_word_it_does_not_know_and_ends_nothing(acall, claimed):
    jobs = await claimed(2)
    with pytest.raises(asyncpg.InvalidParameterValueError, match="outcomes") as error:
        await acall.value("SELECT pgq.finish($1, $2)", jobs, ["successful", "done"])
    assert "exception" in error.value.hint
    assert await status(acall, *jobs) == ["picked", "picked"]


async def test_release_gives_back_without_counting_the_attempt(acall, claimed, entrypoint):
    jobs = await claimed(2)
    assert sorted(await acall.value("SELECT pgq.release($1)", jobs)) == jobs
    assert await acall.value("SELECT pgq.release($1)", []) == []
    rows = await acall.rows("SELECT id, attempts FROM pgq.dequeue($1, 10)", [entrypoint])
    assert [tuple(row) for row in rows] == [(job, 0) for job in jobs]


@pytest.mark.parametrize("form", [uuid.UUID, str])
async def test_heartbeat_names_the_claims_that_were_lost(acall, entrypoint, worker, form):
    jobs = await acall.value("SELECT pgq.enqueue_many($1, $2)", [entrypoint], [b"x"] * 3)
    await acall.rows("SELECT * FROM pgq.dequeue($1, 3, worker => $2)", [entrypoint], worker)
    me = form(str(worker))
    assert await acall.value("SELECT pgq.heartbeat($1)", me) == []
    assert await acall.value("SELECT pgq.heartbeat($1, held => $2)", me, jobs) == []
    assert await acall.value("SELECT pgq.cancel($1)", [jobs[1]]) == [jobs[1]]
    assert await acall.value("SELECT pgq.heartbeat($1, $2, $3)", me, timedelta(minutes=1), jobs) == [jobs[1]]
    assert await acall.value("SELECT pgq.heartbeat($1, held => $2)", me, []) == []


async def test_the_number_of_the_attempt_fences(acall, claimed):
    (job,) = await claimed()
    assert await acall.value("SELECT pgq.complete($1, attempt => $2)", job, 1) is False
    assert await acall.value("SELECT pgq.complete_many($1, attempts => $2)", [job], [1]) == []
    assert await acall.value("SELECT pgq.complete($1, attempt => $2)", job, 0) is True


async def test_executemany_completes_each(adb, entrypoint):
    jobs = await adb.fetchval("SELECT pgq.enqueue_many($1, $2)", [entrypoint], [b"x"] * 3)
    await adb.fetch("SELECT id FROM pgq.dequeue($1, 3)", [entrypoint])
    await adb.executemany("SELECT pgq.complete($1)", [(job,) for job in jobs])
    rows = await adb.fetch("SELECT status FROM pgq.status($1)", jobs)
    assert [row[0] for row in rows] == ["successful"] * 3


async def test_a_cursor_claims_all_that_was_asked_for(adb, entrypoint):
    jobs = await adb.fetchval("SELECT pgq.enqueue_many($1, $2)", [entrypoint], [b"x"] * 5)
    async with adb.transaction():
        cursor = await adb.cursor("SELECT id FROM pgq.dequeue($1, 4)", [entrypoint])
        assert (await cursor.fetchrow())["id"] == jobs[0]
    sql = "SELECT id FROM pgq.jobs WHERE status = 'picked' AND entrypoint = $1 ORDER BY id"
    rows = await adb.fetch(sql, entrypoint)
    assert [row[0] for row in rows] == jobs[:4]


async def test_trap_one_entrypoint_is_no_list(acall, entrypoint):
    with pytest.raises(asyncpg.DataError, match="a sized iterable container expected"):
        await acall.rows("SELECT * FROM pgq.dequeue($1)", entrypoint)


@pytest.mark.parametrize("shape", ["pgq.dequeue($1)", "(pgq.dequeue($1)).*"])
async def test_trap_dequeue_in_a_select_list_is_refused_and_claims_nothing(acall, entrypoint, shape):
    job = await acall.value("SELECT pgq.enqueue($1)", entrypoint)
    with pytest.raises(asyncpg.FeatureNotSupportedError) as error:
        await acall.rows(f"SELECT {shape}", [entrypoint])
    assert "FROM pgq.dequeue" in error.value.hint
    assert await status(acall, job) == ["queued"]


async def test_trap_an_interval_as_a_string_is_refused_by_the_driver(acall, claimed):
    (job,) = await claimed()
    with pytest.raises(asyncpg.DataError):
        await acall.value("SELECT pgq.retry($1, $2)", job, "2 hours")
    assert await status(acall, job) == ["picked"]
