"""Producing from psycopg: which overload a parameter picks, and what of it is stored."""

from datetime import datetime, timedelta, timezone

import psycopg
import pytest
from psycopg.types.json import Json, Jsonb

TEXT = 'a "b" \\ c é'
BYTES = bytes(range(256))
DOCUMENT = {"path": "C:\\dir\\new", "list": [1, "two", None], "é": {}}


def payload(call, job):
    return call.value("SELECT payload FROM pgq.jobs WHERE id = %s", job)


def document(call, job):
    return call.value("SELECT pgq.payload_json(payload) FROM pgq.jobs WHERE id = %s", job)


def test_a_text_is_stored_as_utf8(call, entrypoint):
    job = call.value("SELECT pgq.enqueue(%s, %s)", entrypoint, TEXT)
    assert isinstance(job, int)
    assert payload(call, job) == TEXT.encode()


def test_a_text_can_be_named(call, entrypoint):
    job = call.value("SELECT pgq.enqueue(%s, payload => %s)", entrypoint, TEXT)
    assert payload(call, job) == TEXT.encode()


@pytest.mark.parametrize("argument", ["%s", "payload_bytes => %s"])
@pytest.mark.parametrize(
    "value", [BYTES, b"", bytearray(BYTES), memoryview(BYTES)], ids=["bytes", "no bytes", "bytearray", "memoryview"]
)
def test_bytes_are_stored_as_they_are(call, entrypoint, argument, value):
    job = call.value(f"SELECT pgq.enqueue(%s, {argument})", entrypoint, value)
    assert payload(call, job) == bytes(value)


@pytest.mark.parametrize(
    "argument, wrapper",
    [("%s", Json), ("%s", Jsonb), ("payload_json => %s", Json), ("payload_jsonb => %s", Jsonb)],
)
@pytest.mark.parametrize("value", [DOCUMENT, [1, {"a": []}], [], "a string", None], ids=repr)
def test_wrapped_values_are_stored_as_json(call, entrypoint, argument, wrapper, value):
    job = call.value(f"SELECT pgq.enqueue(%s, {argument})", entrypoint, wrapper(value))
    (row,) = call.rows("SELECT pgq.payload_json(payload), payload IS NULL AS missing FROM pgq.jobs WHERE id = %s", job)
    assert row == {"payload_json": value, "missing": False}


@pytest.mark.parametrize("argument", ["payload_json => %s", "payload_jsonb => %s"])
def test_json_can_come_as_text_where_the_argument_is_named(call, entrypoint, argument):
    job = call.value(f"SELECT pgq.enqueue(%s, {argument})", entrypoint, '{"path": "C:\\\\dir"}')
    assert document(call, job) == {"path": "C:\\dir"}


@pytest.mark.parametrize(
    "argument", ["%s", "payload => %s", "payload_bytes => %s", "payload_json => %s", "payload_jsonb => %s"]
)
def test_none_is_no_payload(call, entrypoint, argument):
    job = call.value(f"SELECT pgq.enqueue(%s, {argument})", entrypoint, None)
    assert payload(call, job) is None


def test_the_payload_can_be_left_out(call, entrypoint):
    assert payload(call, call.value("SELECT pgq.enqueue(%s)", entrypoint)) is None


def test_every_option_takes_the_type_that_python_has_for_it(call, entrypoint):
    later = datetime(2100, 1, 2, 3, 4, 5, 678901, timezone.utc)
    job = call.value(
        "SELECT pgq.enqueue(%s, %s, priority => %s, execute_after => %s, dedupe_key => %s, on_conflict => %s, "
        "headers => %s, ordering_key => %s)",
        entrypoint, "x", -3, later, f"{entrypoint} key", "skip", Jsonb({"trace": "1"}), "order",
    )
    (row,) = call.rows(
        "SELECT priority, execute_after, dedupe_key, headers, ordering_key FROM pgq.jobs WHERE id = %s", job
    )
    assert row == {
        "priority": -3, "execute_after": later, "dedupe_key": f"{entrypoint} key", "headers": {"trace": "1"},
        "ordering_key": "order",
    }


@pytest.mark.parametrize("argument, value", [
    ("%s", timedelta(hours=2)), ("%s", "2 hours"), ("make_interval(secs => %s)", 7200),
    ("make_interval(secs => %s)", 7200.0),
])
def test_a_delay_is_a_timedelta_a_text_or_seconds(call, entrypoint, argument, value):
    job = call.value(f"SELECT pgq.enqueue(%s, 'x', delay => {argument})", entrypoint, value)
    assert call.value("SELECT execute_after - created FROM pgq.jobs WHERE id = %s", job) == timedelta(hours=2)


def test_a_skipped_job_is_none(call, entrypoint):
    sql = "SELECT pgq.enqueue(%s, dedupe_key => %s, on_conflict => 'skip')"
    assert call.value(sql, entrypoint, entrypoint) is not None
    assert call.value(sql, entrypoint, entrypoint) is None


def test_enqueue_many_takes_a_list_of_bytes(call, entrypoint):
    payloads = [BYTES, b"", b"a\\b", None]
    jobs = call.value("SELECT pgq.enqueue_many(%s, %s)", [entrypoint], payloads)
    assert [payload(call, job) for job in jobs] == payloads


def test_enqueue_many_takes_a_list_for_every_option(call, entrypoint):
    later = datetime(2100, 1, 1, tzinfo=timezone.utc)
    jobs = call.value(
        "SELECT pgq.enqueue_many(%s, %s, priorities => %s, execute_after => %s, dedupe_keys => %s, on_conflict => %s, "
        "headers => %s, ordering_keys => %s)",
        [entrypoint, f"{entrypoint}_2"], [b"1", b"2"], [1, 2], [later, None], [None, entrypoint], "skip",
        [None, Jsonb({"h": 1})], ["k", None],
    )
    rows = call.rows(
        "SELECT entrypoint, priority, execute_after = %s AS later, dedupe_key, headers, ordering_key "
        "FROM pgq.jobs WHERE id = ANY (%s) ORDER BY id",
        later, jobs,
    )
    assert rows == [
        {"entrypoint": entrypoint, "priority": 1, "later": True, "dedupe_key": None, "headers": None,
         "ordering_key": "k"},
        {"entrypoint": f"{entrypoint}_2", "priority": 2, "later": False, "dedupe_key": entrypoint, "headers": {"h": 1},
         "ordering_key": None},
    ]


def test_enqueue_many_says_with_none_what_it_skipped(call, entrypoint):
    keys = [f"{entrypoint} a", f"{entrypoint} a", f"{entrypoint} b"]
    sql = "SELECT pgq.enqueue_many(%s, %s, dedupe_keys => %s, on_conflict => 'skip')"
    jobs = call.value(sql, [entrypoint], [b"1", b"2", b"3"], keys)
    assert [job is None for job in jobs] == [False, True, False]


def test_enqueue_many_text_keeps_backslashes_and_json(call, entrypoint):
    texts = ["a\\b", '{"path": "C:\\\\dir"}', "\\x00ff", 'say "hi", {now}', "NULL", "", "é", None]
    jobs = call.value("SELECT pgq.enqueue_many_text(%s, %s)", [entrypoint], texts)
    assert [payload(call, job) for job in jobs] == [text if text is None else text.encode() for text in texts]
    assert document(call, jobs[1]) == {"path": "C:\\dir"}


def test_empty_lists_enqueue_nothing(call, entrypoint):
    assert call.value("SELECT pgq.enqueue_many(%s, %s)", [entrypoint], []) == []
    assert call.value("SELECT pgq.enqueue_many_text(%s, %s)", [entrypoint], []) == []


def test_executemany_enqueues_each(db, entrypoint):
    with db.cursor() as cursor:
        cursor.executemany("SELECT pgq.enqueue(%s, %s)", [(entrypoint, f"{n}") for n in range(20)])
    rows = db.execute("SELECT pgq.payload_text(payload) FROM pgq.jobs WHERE entrypoint = %s ORDER BY id", [entrypoint])
    assert rows.fetchall() == [(f"{n}",) for n in range(20)]


def test_insert_enqueues_and_returns_the_id(call, entrypoint):
    job = call.value("INSERT INTO pgq.jobs (entrypoint, payload) VALUES (%s, %s) RETURNING id", entrypoint, BYTES)
    (row,) = call.rows("SELECT * FROM pgq.dequeue(%s)", [entrypoint])
    assert (row["id"], row["payload"], row["priority"], row["attempts"]) == (job, BYTES, 0, 0)


@pytest.mark.parametrize("binary", [False, True])
def test_copy_enqueues(db, entrypoint, binary):
    with db.cursor() as cursor:
        form = "(FORMAT binary)" if binary else ""
        with cursor.copy(f"COPY pgq.jobs (entrypoint, payload, priority) FROM STDIN {form}") as copy:
            copy.set_types(["text", "bytea", "int4"])
            for n in range(3):
                copy.write_row((entrypoint, BYTES + bytes([n]), n))
    rows = db.execute("SELECT payload, priority, status FROM pgq.dequeue(%s, 10)", [[entrypoint]]).fetchall()
    assert rows == [(BYTES + bytes([n]), n, "picked") for n in (2, 1, 0)]


def test_copy_of_a_query_reads_jobs(db, entrypoint):
    job = db.execute("SELECT pgq.enqueue(%s, 'x')", [entrypoint]).fetchone()[0]
    sql = "COPY (SELECT id, payload FROM pgq.jobs WHERE entrypoint = %s) TO STDOUT"
    with db.cursor().copy(sql, [entrypoint]) as copy:
        copy.set_types(["int8", "bytea"])
        assert list(copy.rows()) == [(job, b"x")]


def test_a_bad_row_in_copy_enqueues_nothing(db, entrypoint):
    with pytest.raises(psycopg.errors.InvalidParameterValue), db.cursor() as cursor:
        with cursor.copy("COPY pgq.jobs (entrypoint, payload) FROM STDIN") as copy:
            copy.write_row((entrypoint, b"good"))
            copy.write_row(("", b"bad"))
    assert db.execute("SELECT count(*) FROM pgq.jobs WHERE entrypoint = %s", [entrypoint]).fetchone() == (0,)


def test_rollback_takes_the_jobs_away(connect, entrypoint):
    producer, other = connect(autocommit=False), connect()
    producer.execute("SELECT pgq.enqueue(%s, 'x')", [entrypoint])
    producer.execute("SELECT pgq.enqueue_many(%s, %s)", [[entrypoint], [b"y", b"z"]])
    count = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = %s"
    assert producer.execute(count, [entrypoint]).fetchone() == (3,)
    assert other.execute("SELECT id FROM pgq.dequeue(%s)", [[entrypoint]]).fetchall() == []
    producer.rollback()
    assert producer.execute(count, [entrypoint]).fetchone() == (0,)


def test_a_transaction_that_raises_takes_its_job_away_and_an_outer_one_keeps_its_own(db, entrypoint):
    with db.transaction():
        kept = db.execute("SELECT pgq.enqueue(%s, 'kept')", [entrypoint]).fetchone()
        with pytest.raises(ZeroDivisionError), db.transaction():
            db.execute("SELECT pgq.enqueue(%s, 'gone')", [entrypoint])
            raise ZeroDivisionError
    assert db.execute("SELECT id FROM pgq.jobs WHERE entrypoint = %s", [entrypoint]).fetchall() == [kept]


def test_trap_a_bare_dict_is_refused_by_the_driver(call, entrypoint):
    with pytest.raises(psycopg.ProgrammingError, match="cannot adapt type 'dict'"):
        call.value("SELECT pgq.enqueue(%s, payload_jsonb => %s)", entrypoint, DOCUMENT)


def test_trap_typed_bytes_are_no_text_payload(call, entrypoint):
    with pytest.raises(psycopg.errors.UndefinedFunction):
        call.value("SELECT pgq.enqueue(%s, payload => %s)", entrypoint, BYTES)


def test_trap_enqueue_many_eats_the_backslashes_of_strings(call, entrypoint):
    (job,) = call.value("SELECT pgq.enqueue_many(%s, %s)", [entrypoint], ['{"path": "C:\\\\dir"}'])
    assert payload(call, job) == b'{"path": "C:\\dir"}'


def test_trap_one_entrypoint_is_no_list(call, entrypoint):
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="malformed array literal"):
        call.value("SELECT pgq.enqueue_many(%s, %s)", entrypoint, [b"x"])
