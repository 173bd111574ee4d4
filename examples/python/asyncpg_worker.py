"""A worker with asyncpg, ten jobs at a time over a pool: python asyncpg_worker.py (Python 3.11 or later)"""

import asyncio
import contextlib
import json
import os
import signal
import uuid

import asyncpg

DSN = os.environ["PGQUEUER_DSN"]
stopping, wake = asyncio.Event(), asyncio.Event()


async def run(pool, worker, job):
    claim = job["id"], worker, job["attempts"]  # Says whose it is, so that any connection of the pool may end it.
    try:
        mail = json.loads(job["payload"])
        mail["to"].index("@")  # A ValueError where there is none.
        await asyncio.sleep(mail.get("seconds", 0))  # Here the mail would be sent.
    except Exception as error:
        await pool.execute("SELECT pgq.fail($1, $4, worker => $2, attempt => $3)", *claim, repr(error))
    else:
        await pool.execute("SELECT pgq.complete($1, worker => $2, attempt => $3)", *claim)


async def work(pool, db, jobs):
    worker = uuid.uuid4()  # A new name for each connection: what the old one held goes back to the queue.
    await db.execute("SELECT pgq.attach($1)", worker)
    # asyncpg calls back for its own LISTENs only, and a connection that goes back to the pool loses them: db stays out.
    await db.add_listener(await db.fetchval("SELECT pgq.channel('mail')"), lambda *_: wake.set())
    db.add_termination_listener(lambda _: wake.set())
    while not stopping.is_set():
        wake.clear()
        await db.execute("SELECT pgq.heartbeat($1)", worker)
        for job in await db.fetch("SELECT * FROM pgq.dequeue('{mail}', 10, worker => $1, max_in_flight => 10)", worker):
            jobs.create_task(run(pool, worker, job)).add_done_callback(lambda _: wake.set())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(wake.wait(), 10)  # A third of the lease.
    await db.execute("SELECT pgq.heartbeat($1, lease => '1 hour')", worker)  # For the last jobs: the group awaits them.
    await db.reset()  # Ends the LISTEN.


async def main(delay=1):
    for number in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(number, lambda: (stopping.set(), wake.set()))
    while not stopping.is_set():
        try:
            async with asyncpg.create_pool(DSN, min_size=1) as pool, pool.acquire() as db, asyncio.TaskGroup() as jobs:
                delay = 1
                await work(pool, db, jobs)
        except* (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as lost:
            print(f"next try in {delay} s: {lost.exceptions[0]!r}", flush=True)
            await asyncio.wait([asyncio.create_task(stopping.wait())], timeout=delay)
            delay = min(2 * delay, 30)


asyncio.run(main())
