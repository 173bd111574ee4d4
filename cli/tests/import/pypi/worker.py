"""A worker of the Python PgQueuer, until it is killed: worker.py [ENTRYPOINT=EXPRESSION ...]

"hang" never ends, "broken" fails and is held, "again" asks for another attempt in an hour, the latter two where the version can.
Each argument is a schedule, whose function does nothing; that of "stuck" never ends.
"""

import asyncio
import sys
from datetime import timedelta

import asyncpg
from pgqueuer.db import AsyncpgDriver
from pgqueuer.qm import QueueManager
from pgqueuer.queries import Queries
from pgqueuer.sm import SchedulerManager

try:
    from pgqueuer.errors import RetryRequested
except ImportError:
    RetryRequested = None


def take(queue):
    @queue.entrypoint("hang")
    async def hang(job):
        await asyncio.Event().wait()

    if RetryRequested is None:
        return

    @queue.entrypoint("broken", on_failure="hold")
    async def broken(job):
        raise ValueError("it is broken")

    @queue.entrypoint("again")
    async def again(job):
        raise RetryRequested(delay=timedelta(hours=1), reason="not yet")


def plan(scheduler, schedules):
    for argument in schedules:
        entrypoint, expression = argument.split("=", 1)

        @scheduler.schedule(entrypoint, expression)
        async def tick(schedule):
            if schedule.entrypoint == "stuck":
                await asyncio.Event().wait()


async def connect():
    """What both managers are made from."""
    driver = AsyncpgDriver(await asyncpg.connect())
    return driver if RetryRequested is None else Queries(driver)


async def main():
    queue = QueueManager(await connect())
    take(queue)
    scheduler = SchedulerManager(await connect())
    plan(scheduler, sys.argv[1:])
    await asyncio.gather(queue.run(), *([scheduler.run()] if sys.argv[1:] else []))


asyncio.run(main())
