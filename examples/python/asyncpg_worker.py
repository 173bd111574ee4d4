"""A worker with asyncpg, ten jobs at a time over a pool: python asyncpg_worker.py (Python 3.11 or later)"""

import asyncio
import json
import os
import signal
import uuid

import asyncpg

DSN, WHO = os.environ["PGQUEUER_DSN"], uuid.uuid4()
stopping, wake = asyncio.Event(), asyncio.Event()


async def run(pool, job):
    claim = job["id"], WHO, job["attempts"]  # Says whose it is, so that any connection of the pool may end it.
    try:
        mail = json.loads(job["payload"])
        mail["to"].index("@")  # A ValueError where there is none.
        await asyncio.sleep(mail.get("seconds", 0))  # Here the mail would be sent.
    except Exception as error:
        await pool.execute("SELECT pgq.fail($1, $4, worker => $2, attempt => $3)", *claim, repr(error))
    else:
        await pool.execute("SELECT pgq.complete($1, worker => $2, attempt => $3)", *claim)


async def work(pool, db, jobs):
    await db.execute("SELECT pgq.attach($1)", WHO)  # What this name holds goes back to the queue when db is closed.
    await db.execute("SELECT pgq.release(ARRAY(SELECT id FROM pgq.jobs WHERE worker = $1), $1)", WHO)  # After restarts.
    # asyncpg calls back for its own LISTENs only, and a connection of the pool would lose them: db is none of those.
    await db.add_listener(await db.fetchval("SELECT pgq.channel('welcome')"), lambda *_: wake.set())
    db.add_termination_listener(lambda _: wake.set())
    while not stopping.is_set():
        wake.clear()
        await db.execute("SELECT pgq.heartbeat($1, lease => '1 minute')", WHO)  # Should nobody close it: after this.
        for job in await db.fetch("SELECT * FROM pgq.dequeue('{welcome}', 10, worker => $1, max_in_flight => 10)", WHO):
            jobs.create_task(run(pool, job)).add_done_callback(lambda _: wake.set())
        await asyncio.wait([asyncio.create_task(wake.wait())], timeout=20)


async def main(db=None, delay=1):
    for number in signal.SIGTERM, signal.SIGINT:
        asyncio.get_running_loop().add_signal_handler(number, lambda: (stopping.set(), wake.set()))
    async with asyncpg.create_pool(DSN, min_size=0) as pool:
        while not stopping.is_set():
            try:
                db = await asyncpg.connect(DSN)
                delay = 1
                async with asyncio.TaskGroup() as jobs:  # Its end awaits the jobs, or cancels them if one call fails.
                    await work(pool, db, jobs)
            except* Exception as lost:  # asyncpg has many words for a lost connection.
                print(f"next try in {delay} s: {lost.exceptions[0]!r}", flush=True)
            if db:
                db.terminate()
            await asyncio.wait([asyncio.create_task(stopping.wait())], timeout=delay)
            delay = min(2 * delay, 30)


asyncio.run(main())
