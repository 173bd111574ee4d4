"""Connections of both drivers, and an entrypoint that no other test uses."""

import os
import uuid

import asyncpg
import psycopg
import psycopg.types.json
import pytest
import pytest_asyncio
from psycopg.rows import dict_row

PSYCOPG_MODES = ["unprepared", "prepared", "client-side"]
ASYNCPG_MODES = ["cached", "prepared", "uncached"]


@pytest.fixture(scope="session")
def dsn():
    return os.environ["PGQUEUER_TEST_DSN"]


@pytest.fixture
def entrypoint():
    return f"job_{uuid.uuid4().hex}"


@pytest.fixture
def worker():
    return uuid.uuid4()


@pytest.fixture
def connect(dsn):
    """Opens psycopg connections that the end of the test closes."""
    opened = []

    def open_one(**options):
        connection = psycopg.connect(dsn, **{"autocommit": True, **options})
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def db(connect):
    return connect()


class Psycopg:
    """One way to send a call. A row is a dict, so that tests read columns by their names."""

    def __init__(self, connection, mode):
        self.connection = connection
        self.options = {} if mode == "client-side" else {"prepare": mode == "prepared"}

    def rows(self, sql, *parameters):
        with self.connection.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql, parameters, **self.options).fetchall()

    def value(self, sql, *parameters):
        (row,) = self.rows(sql, *parameters)
        (value,) = row.values()
        return value


@pytest.fixture(params=PSYCOPG_MODES)
def call(request, connect):
    """psycopg's ways to send parameters: bound by the server, the same in a prepared statement, or as literals."""
    options = {"cursor_factory": psycopg.ClientCursor} if request.param == "client-side" else {}
    return Psycopg(connect(**options), request.param)


class Asyncpg:
    """One way to send a call. asyncpg prepares every statement: kept in its cache, by hand, or for one use."""

    def __init__(self, connection, mode):
        self.connection = connection
        self.mode = mode

    async def rows(self, sql, *parameters):
        if self.mode == "prepared":
            return await (await self.connection.prepare(sql)).fetch(*parameters)
        return await self.connection.fetch(sql, *parameters)

    async def value(self, sql, *parameters):
        ((value,),) = await self.rows(sql, *parameters)
        return value


@pytest_asyncio.fixture
async def open_asyncpg(dsn):
    """Opens asyncpg connections that the end of the test closes."""
    opened = []

    async def open_one(**options):
        connection = await asyncpg.connect(dsn, **options)
        opened.append(connection)
        return connection

    yield open_one
    for connection in opened:
        await connection.close()


@pytest_asyncio.fixture(params=ASYNCPG_MODES)
async def acall(request, open_asyncpg):
    """asyncpg's ways to send a call."""
    options = {"statement_cache_size": 0} if request.param == "uncached" else {}
    return Asyncpg(await open_asyncpg(**options), request.param)


@pytest_asyncio.fixture
async def adb(open_asyncpg):
    return await open_asyncpg()
