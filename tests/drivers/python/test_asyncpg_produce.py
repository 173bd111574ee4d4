"""Producing from asyncpg, which sends every parameter without a type and asks the server what it took it for."""

import json
from datetime import datetime, timedelta, timezone
from io import BytesIO

import asyncpg
import pytest

TEXT = 'a "b" \\ c é'
BYTES = bytes(range(256))
DOCUMENT = {"path": "C:\\dir\\new", "list": [1, "two", None], "é": {}}


async def payload(call, job):
    return await call.value("SELECT payload FROM pgq.jobs WHERE id = $1", job)


async def document(call, job):
    return json.loads(await call.value("SELECT pgq.payload_json(payload) FROM pgq.jobs WHERE id = $1", job))


@pytest.mark.parametrize("argument", ["$2", "payload => $2"])
async def test_a_text_is_stored_as_utf8(acall, entrypoint, argument):
    job = await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, TEXT)
    assert isinstance(job, int)
    assert await payload(acall, job) == TEXT.encode()


@pytest.mark.parametrize("argument", ["payload_bytes => $2", "$2::bytea"])
@pytest.mark.parametrize("value", [BYTES, b""], ids=["all", "none"])
async def test_bytes_are_stored_as_they_are(acall, entrypoint, argument, value):
    job = await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, value)
    assert await payload(acall, job) == value


@pytest.mark.parametrize("argument", ["payload_json => $2", "payload_jsonb => $2"])
@pytest.mark.parametrize("value", [DOCUMENT, [1, {"a": []}], [], "a string", None], ids=repr)
async def test_dumped_values_are_stored_as_json(acall, entrypoint, argument, value):
    job = await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, json.dumps(value))
    assert await document(acall, job) == value


@pytest.mark.parametrize("argument, type_name", [("payload_json => $2", "json"), ("payload_jsonb => $2", "jsonb")])
@pytest.mark.parametrize("value", [DOCUMENT, [1, {"a": []}], []], ids=repr)
async def test_a_codec_lets_dicts_and_lists_in(acall, entrypoint, argument, type_name, value):
    await acall.connection.set_type_codec(type_name, encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
    job = await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, value)
    assert json.loads(await acall.value("SELECT pgq.payload_text(payload) FROM pgq.jobs WHERE id = $1", job)) == value


@pytest.mark.parametrize(
    "argument", ["$2", "payload => $2", "payload_bytes => $2", "payload_json => $2", "payload_jsonb => $2"]
)
async def test_none_is_no_payload(acall, entrypoint, argument):
    job = await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, None)
    assert await payload(acall, job) is None


async def test_the_payload_can_be_left_out(acall, entrypoint):
    assert await payload(acall, await acall.value("SELECT pgq.enqueue($1)", entrypoint)) is None


async def test_every_option_takes_the_type_that_python_has_for_it(acall, entrypoint):
    later = datetime(2100, 1, 2, 3, 4, 5, 678901, timezone.utc)
    job = await acall.value(
        "SELECT pgq.enqueue($1, $2, priority => $3, execute_after => $4, dedupe_key => $5, on_conflict => $6, "
        "headers => $7, ordering_key => $8)",
        entrypoint, "x", -3, later, f"{entrypoint} key", "skip", '{"trace": "1"}', "order",
    )
    (row,) = await acall.rows(
        "SELECT priority, execute_after, dedupe_key, headers, ordering_key FROM pgq.jobs WHERE id = $1", job
    )
    assert tuple(row) == (-3, later, f"{entrypoint} key", '{"trace": "1"}', "order")


@pytest.mark.parametrize("argument, value", [
    ("$2", timedelta(hours=2)), ("make_interval(secs => $2)", 7200), ("make_interval(hours => $2)", 2),
])
async def test_a_delay_is_a_timedelta_or_seconds(acall, entrypoint, argument, value):
    job = await acall.value(f"SELECT pgq.enqueue($1, 'x', delay => {argument})", entrypoint, value)
    assert await acall.value("SELECT execute_after - created FROM pgq.jobs WHERE id = $1", job) == timedelta(hours=2)


async def test_a_skipped_job_is_none(acall, entrypoint):
    sql = "SELECT pgq.enqueue($1, dedupe_key => $2, on_conflict => 'skip')"
    assert await acall.value(sql, entrypoint, entrypoint) is not None
    assert await acall.value(sql, entrypoint, entrypoint) is None


async def test_enqueue_many_takes_a_list_of_bytes(acall, entrypoint):
    payloads = [BYTES, b"", b"a\\b", None]
    jobs = await acall.value("SELECT pgq.enqueue_many($1, $2)", [entrypoint], payloads)
    assert [await payload(acall, job) for job in jobs] == payloads


async def test_enqueue_many_takes_a_list_for_every_option(acall, entrypoint):
    later = datetime(2100, 1, 1, tzinfo=timezone.utc)
    jobs = await acall.value(
        "SELECT pgq.enqueue_many($1, $2, priorities => $3, execute_after => $4, dedupe_keys => $5, on_conflict => $6, "
        "headers => $7, ordering_keys => $8)",
        [entrypoint, f"{entrypoint}_2"], [b"1", b"2"], [1, 2], [later, None], [None, entrypoint], "skip",
        [None, '{"h": 1}'], ["k", None],
    )
    rows = await acall.rows(
        "SELECT entrypoint, priority, execute_after = $1, dedupe_key, headers, ordering_key "
        "FROM pgq.jobs WHERE id = ANY ($2) ORDER BY id",
        later, jobs,
    )
    assert [tuple(row) for row in rows] == [
        (entrypoint, 1, True, None, None, "k"), (f"{entrypoint}_2", 2, False, entrypoint, '{"h": 1}', None),
    ]


async def test_enqueue_many_says_with_none_what_it_skipped(acall, entrypoint):
    keys = [f"{entrypoint} a", f"{entrypoint} a", f"{entrypoint} b"]
    sql = "SELECT pgq.enqueue_many($1, $2, dedupe_keys => $3, on_conflict => 'skip')"
    jobs = await acall.value(sql, [entrypoint], [b"1", b"2", b"3"], keys)
    assert [job is None for job in jobs] == [False, True, False]


async def test_enqueue_many_text_keeps_backslashes_and_json(acall, entrypoint):
    texts = ["a\\b", '{"path": "C:\\\\dir"}', "\\x00ff", 'say "hi", {now}', "NULL", "", "é", None]
    jobs = await acall.value("SELECT pgq.enqueue_many_text($1, $2)", [entrypoint], texts)
    assert [await payload(acall, job) for job in jobs] == [text if text is None else text.encode() for text in texts]
    assert await document(acall, jobs[1]) == {"path": "C:\\dir"}


async def test_empty_lists_enqueue_nothing(acall, entrypoint):
    assert await acall.value("SELECT pgq.enqueue_many($1, $2)", [entrypoint], []) == []
    assert await acall.value("SELECT pgq.enqueue_many_text($1, $2)", [entrypoint], []) == []


async def test_executemany_enqueues_each(adb, entrypoint):
    await adb.executemany("SELECT pgq.enqueue($1, $2)", [(entrypoint, f"{n}") for n in range(20)])
    sql = "SELECT pgq.payload_text(payload) FROM pgq.jobs WHERE entrypoint = $1 ORDER BY id"
    rows = await adb.fetch(sql, entrypoint)
    assert [row[0] for row in rows] == [f"{n}" for n in range(20)]


async def test_execute_without_parameters_takes_a_script(adb, entrypoint):
    await adb.execute(f"SELECT pgq.enqueue('{entrypoint}', 'a'); SELECT pgq.enqueue('{entrypoint}', to_jsonb(1))")
    rows = await adb.fetch("SELECT payload FROM pgq.jobs WHERE entrypoint = $1 ORDER BY id", entrypoint)
    assert [row[0] for row in rows] == [b"a", b"1"]


async def test_insert_enqueues_and_returns_the_id(acall, entrypoint):
    sql = "INSERT INTO pgq.jobs (entrypoint, payload) VALUES ($1, $2) RETURNING id"
    job = await acall.value(sql, entrypoint, BYTES)
    (row,) = await acall.rows("SELECT * FROM pgq.dequeue($1)", [entrypoint])
    assert (row["id"], row["payload"], row["priority"], row["attempts"]) == (job, BYTES, 0, 0)


async def test_copy_of_records_enqueues(adb, entrypoint):
    records = [(entrypoint, BYTES, 1), (entrypoint, None, 2)]
    columns = ["entrypoint", "payload", "priority"]
    assert await adb.copy_records_to_table("jobs", schema_name="pgq", columns=columns, records=records) == "COPY 2"
    rows = await adb.fetch("SELECT entrypoint, payload, priority, status FROM pgq.dequeue($1, 10)", [entrypoint])
    assert [tuple(row) for row in rows] == [(entrypoint, None, 2, "picked"), (entrypoint, BYTES, 1, "picked")]


async def test_copy_of_a_file_enqueues(adb, entrypoint):
    source = BytesIO(f'{entrypoint},"a ""b"""\n{entrypoint},\\x00ff\n'.encode())
    columns = ["entrypoint", "payload"]
    assert await adb.copy_to_table("jobs", schema_name="pgq", columns=columns, source=source, format="csv") == "COPY 2"
    rows = await adb.fetch("SELECT payload FROM pgq.dequeue($1, 10)", [entrypoint])
    assert [row[0] for row in rows] == [b'a "b"', b"\x00\xff"]


async def test_copy_of_a_query_reads_jobs(adb, entrypoint):
    job = await adb.fetchval("SELECT pgq.enqueue($1, 'x')", entrypoint)
    output = BytesIO()
    await adb.copy_from_query("SELECT id, status FROM pgq.jobs WHERE entrypoint = $1", entrypoint, output=output)
    assert output.getvalue() == f"{job}\tqueued\n".encode()


async def test_a_bad_record_in_copy_enqueues_nothing(adb, entrypoint):
    with pytest.raises(asyncpg.InvalidParameterValueError):
        await adb.copy_records_to_table(
            "jobs", schema_name="pgq", columns=["entrypoint", "payload"], records=[(entrypoint, b"good"), ("", b"bad")]
        )
    assert await adb.fetchval("SELECT count(*) FROM pgq.jobs WHERE entrypoint = $1", entrypoint) == 0


async def test_rollback_takes_the_jobs_away(open_asyncpg, entrypoint):
    producer, other = await open_asyncpg(), await open_asyncpg()
    count = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = $1"
    transaction = producer.transaction()
    await transaction.start()
    await producer.fetchval("SELECT pgq.enqueue($1, 'x')", entrypoint)
    await producer.fetchval("SELECT pgq.enqueue_many($1, $2)", [entrypoint], [b"y", b"z"])
    assert await producer.fetchval(count, entrypoint) == 3
    assert await other.fetch("SELECT id FROM pgq.dequeue($1)", [entrypoint]) == []
    await transaction.rollback()
    assert await producer.fetchval(count, entrypoint) == 0


async def test_a_transaction_that_raises_takes_its_job_away_and_an_outer_one_keeps_its_own(adb, entrypoint):
    async with adb.transaction():
        kept = await adb.fetchval("SELECT pgq.enqueue($1, 'kept')", entrypoint)
        with pytest.raises(ZeroDivisionError):
            async with adb.transaction():
                await adb.fetchval("SELECT pgq.enqueue($1, 'gone')", entrypoint)
                raise ZeroDivisionError
    assert [row[0] for row in await adb.fetch("SELECT id FROM pgq.jobs WHERE entrypoint = $1", entrypoint)] == [kept]


@pytest.mark.parametrize("argument", ["$2", "payload => $2"])
async def test_trap_bytes_without_the_argument_s_name_are_refused_by_the_driver(acall, entrypoint, argument):
    with pytest.raises(asyncpg.DataError, match="expected str, got bytes"):
        await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, BYTES)


@pytest.mark.parametrize("argument", ["$2", "payload_jsonb => $2"])
async def test_trap_a_dict_without_a_codec_is_refused_by_the_driver(acall, entrypoint, argument):
    with pytest.raises(asyncpg.DataError, match="expected str, got dict"):
        await acall.value(f"SELECT pgq.enqueue($1, {argument})", entrypoint, DOCUMENT)


async def test_trap_strings_in_enqueue_many_are_refused_by_the_driver(acall, entrypoint):
    with pytest.raises(asyncpg.DataError):
        await acall.value("SELECT pgq.enqueue_many($1, $2)", [entrypoint], ["a"])


async def test_trap_one_entrypoint_is_no_list(acall, entrypoint):
    with pytest.raises(asyncpg.DataError, match="a sized iterable container expected"):
        await acall.value("SELECT pgq.enqueue_many($1, $2)", entrypoint, [b"x"])


async def test_trap_an_interval_as_a_string_is_refused_by_the_driver(acall, entrypoint):
    with pytest.raises(asyncpg.DataError):
        await acall.value("SELECT pgq.enqueue($1, 'x', delay => $2)", entrypoint, "2 hours")
