"""What belongs to a session in asyncpg: its claims, its pool, its notifications, its transactions and its errors."""

import asyncio
import json

import asyncpg
import pytest
import pytest_asyncio

from until import DEADLINE, until_async


@pytest_asyncio.fixture
async def open_pool(dsn):
    """Opens pools of a fixed size. The end of the test cuts them off: a test that failed may not have given all
    connections back, and a close would wait for them."""
    opened = []

    async def open_one(size):
        opened.append(await asyncpg.create_pool(dsn, min_size=size, max_size=size))
        return opened[-1]

    yield open_one
    for pool in opened:
        pool.terminate()


async def enqueue(db, entrypoint):
    return await db.fetchval("SELECT pgq.enqueue($1, 'x')", entrypoint)


async def dequeue(db, entrypoint, worker=None):
    return [row[0] for row in await db.fetch("SELECT id FROM pgq.dequeue($1, worker => $2)", [entrypoint], worker)]


async def complete(db, job, worker=None):
    return await db.fetchval("SELECT pgq.complete($1, worker => $2)", job, worker)


async def status(db, job):
    return await db.fetchval("SELECT status FROM pgq.status($1)", [job])


async def listen(db, entrypoint):
    """Listens asyncpg's way and returns the queue of (channel, payload) that arrive."""
    heard = asyncio.Queue()
    channel = await db.fetchval("SELECT pgq.channel($1)", entrypoint)
    await db.add_listener(channel, lambda _, pid, channel, payload: heard.put_nowait((channel, payload)))
    return channel, heard


async def message(heard, wanted):
    """The next payload that is wanted: an empty one only says that there may be jobs, and may come any time."""
    while True:
        channel, payload = await asyncio.wait_for(heard.get(), DEADLINE)
        if wanted(payload):
            return channel, payload


async def test_a_session_claims_and_completes_on_one_connection(adb, entrypoint):
    jobs = [await enqueue(adb, entrypoint) for _ in range(3)]
    for job in jobs:
        assert await dequeue(adb, entrypoint) == [job]
        assert await complete(adb, job) is True
    assert await dequeue(adb, entrypoint) == []


@pytest.mark.parametrize("ending", ["close", "terminate"])
async def test_a_connection_that_ends_gives_its_claims_back(open_asyncpg, entrypoint, ending):
    worker, other = await open_asyncpg(), await open_asyncpg()
    job = await enqueue(other, entrypoint)
    assert await dequeue(worker, entrypoint) == [job]
    assert await dequeue(other, entrypoint) == []
    if ending == "close":
        await worker.close()
    else:
        worker.terminate()
    assert await until_async(lambda: dequeue(other, entrypoint)) == [job]


async def test_a_claim_in_a_transaction_that_rolls_back_is_given_back(open_asyncpg, entrypoint):
    worker, other = await open_asyncpg(), await open_asyncpg()
    job = await enqueue(other, entrypoint)
    with pytest.raises(ZeroDivisionError):
        async with worker.transaction():
            assert await dequeue(worker, entrypoint) == [job]
            assert await status(other, job) == "picked"
            raise ZeroDivisionError
    assert await status(other, job) == "queued"


async def test_trap_another_connection_of_the_pool_cannot_complete_and_a_warning_says_why(open_pool, entrypoint):
    pool = await open_pool(2)
    async with pool.acquire() as one, pool.acquire() as two:
        notices = []

        def collect(_, notice):
            notices.append(notice)

        two.add_log_listener(collect)
        job = await enqueue(one, entrypoint)
        assert await dequeue(one, entrypoint) == [job]
        assert await complete(two, job) is False
        # asyncpg calls the listener soon after the answer: the round trip lets it.
        assert await status(two, job) == "picked"
        (notice,) = notices
        assert notice.severity == "WARNING" and str(job) in notice.message and "worker =>" in notice.hint
        two.remove_log_listener(collect)
        assert await complete(one, job) is True


async def test_trap_calls_on_the_pool_itself_go_to_any_connection(open_pool, entrypoint):
    pool = await open_pool(2)
    async with pool.acquire() as one:
        job = await enqueue(one, entrypoint)
        assert await dequeue(one, entrypoint) == [job]
        assert await complete(pool, job) is False
        assert await status(pool, job) == "picked"


async def test_a_named_worker_completes_on_another_connection_of_the_pool(open_pool, entrypoint, worker):
    pool = await open_pool(2)
    async with pool.acquire() as one:
        job = await enqueue(one, entrypoint)
        assert await dequeue(one, entrypoint, worker) == [job]
        assert await complete(pool, job, worker) is True


async def test_a_claim_outlives_the_return_of_its_connection_to_the_pool(open_pool, entrypoint):
    pool = await open_pool(1)
    async with pool.acquire() as db:
        job = await enqueue(db, entrypoint)
        assert await dequeue(db, entrypoint) == [job]
    async with pool.acquire() as db:
        assert await status(db, job) == "picked"
        assert await complete(db, job) is True


async def test_trap_return_to_the_pool_ends_listening(open_pool, entrypoint):
    pool = await open_pool(1)
    async with pool.acquire() as db:
        channel = await db.fetchval("SELECT pgq.listen($1)", [entrypoint])
        assert await db.fetchval("SELECT array_agg(c) FROM pg_listening_channels() AS c") == [channel]
    async with pool.acquire() as db:
        assert await db.fetchval("SELECT array_agg(c) FROM pg_listening_channels() AS c") is None


@pytest.mark.parametrize("suffix", ["", " with Blanks", "_" * 100])
async def test_a_listener_on_the_channel_hears_of_a_new_job(open_asyncpg, entrypoint, suffix):
    listener, producer = await open_asyncpg(), await open_asyncpg()
    channel, heard = await listen(listener, entrypoint + suffix)
    await enqueue(producer, entrypoint + suffix)
    assert await message(heard, lambda payload: True) == (channel, "")


async def test_a_listener_hears_that_a_running_job_was_canceled(open_asyncpg, entrypoint):
    worker, operator = await open_asyncpg(), await open_asyncpg()
    _, heard = await listen(worker, entrypoint)
    job = await enqueue(operator, entrypoint)
    assert await dequeue(worker, entrypoint) == [job]
    await operator.fetchval("SELECT pgq.cancel($1)", [job])
    _, payload = await message(heard, lambda payload: payload)
    assert json.loads(payload) == {"event": "canceled", "ids": [job]}
    assert await complete(worker, job) is False


async def test_a_bad_argument_is_named_and_explained(adb):
    with pytest.raises(asyncpg.InvalidParameterValueError) as error:
        await enqueue(adb, "")
    assert error.value.sqlstate == "22023" and error.value.severity == "ERROR"
    assert "entrypoint" in error.value.message and error.value.hint


async def test_a_duplicate_key_is_in_the_detail(adb, entrypoint):
    key = f'{entrypoint} "quoted" \\ é'
    await adb.fetchval("SELECT pgq.enqueue($1, dedupe_key => $2)", entrypoint, key)
    with pytest.raises(asyncpg.UniqueViolationError) as error:
        await adb.fetchval("SELECT pgq.enqueue($1, dedupe_key => $2)", entrypoint, key)
    assert error.value.sqlstate == "23505"
    assert key in error.value.detail
    assert "on_conflict" in error.value.hint


@pytest.mark.parametrize(
    "command", ["UPDATE pgq.jobs SET priority = 1 WHERE id = $1", "DELETE FROM pgq.jobs WHERE id = $1"]
)
async def test_changing_jobs_by_hand_is_refused_with_a_hint(adb, entrypoint, command):
    job = await enqueue(adb, entrypoint)
    with pytest.raises(asyncpg.FeatureNotSupportedError) as error:
        await adb.execute(command, job)
    assert "pgq.cancel" in error.value.hint
    assert await status(adb, job) == "queued"


async def test_trap_after_an_error_the_transaction_takes_no_fail(adb, entrypoint):
    job = await enqueue(adb, entrypoint)
    assert await dequeue(adb, entrypoint) == [job]
    transaction = adb.transaction()
    await transaction.start()
    with pytest.raises(asyncpg.DivisionByZeroError):
        await adb.execute("SELECT 1 / 0")
    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await adb.fetchval("SELECT pgq.fail($1, $2)", job, "boom")
    await transaction.rollback()
    assert await adb.fetchval("SELECT pgq.fail($1, $2)", job, "boom") == "queued"


async def test_the_work_and_its_completion_commit_together(open_asyncpg, entrypoint):
    worker, other = await open_asyncpg(), await open_asyncpg()
    job, next_name = await enqueue(other, entrypoint), f"{entrypoint}_next"
    assert await dequeue(worker, entrypoint) == [job]
    with pytest.raises(ZeroDivisionError):
        async with worker.transaction():
            await enqueue(worker, next_name)
            assert await complete(worker, job) is True
            raise ZeroDivisionError
    assert await status(other, job) == "picked"
    assert await dequeue(other, next_name) == []
    async with worker.transaction():
        follow_up = await enqueue(worker, next_name)
        assert await complete(worker, job) is True
    assert await status(other, job) == "successful"
    assert await dequeue(other, next_name) == [follow_up]
