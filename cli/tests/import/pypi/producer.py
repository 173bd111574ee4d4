"""Enqueues with the Python PgQueuer's own API: a line of JSON on standard input, a job. Prints their ids."""

import asyncio
import json
import sys
from datetime import timedelta

import asyncpg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries


def arguments(line):
    """A job's arguments. Those that an old version does not know are not in the line."""
    job = json.loads(line)
    payload = job.pop("payload_hex", None)
    job["payload"] = None if payload is None else bytes.fromhex(payload)
    if "execute_after" in job:
        job["execute_after"] = timedelta(seconds=job["execute_after"])
    return job


async def main():
    connection = await asyncpg.connect()
    queries = Queries(AsyncpgDriver(connection))
    for line in sys.stdin:
        print((await queries.enqueue(**arguments(line)))[0])
    await connection.close()


asyncio.run(main())
