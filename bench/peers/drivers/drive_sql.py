"""Queues that are plain SQL: every statement comes from the system's texts."""
import asyncio
import json
from importlib import import_module
from pathlib import Path

import asyncpg
from protocol import Progress, main, paced, payload, payload_bytes, say, timed_batches, timed_enqueue, wait_for_go


def encoded(texts, sequence):
    return json.dumps(payload(sequence)) if texts.get("json") else payload_bytes(sequence)


async def install(options):
    texts = options["texts"]
    connection = await asyncpg.connect(options["dsn"])
    for module, file in texts.get("install_files", []):
        await connection.execute((Path(import_module(module).__file__).parent / file).read_text())
    for text in texts["install"]:
        await connection.execute(text)
    await connection.close()
    say(e="result")


async def enqueuer(options):
    connection = await asyncpg.connect(options["dsn"])
    statement = await connection.prepare(options["texts"]["enqueue"])
    return lambda sequence: statement.fetch(encoded(options["texts"], sequence))


async def enqueue1(options):
    await timed_enqueue(lambda: enqueuer(options), options)


async def latency(options):
    await paced(await enqueuer(options), options)


async def batch(options):
    texts = options["texts"]
    connection = await asyncpg.connect(options["dsn"])
    statement = await connection.prepare(texts["enqueue_many"])
    await timed_batches(lambda sequences: statement.fetch([encoded(texts, one) for one in sequences]), options)


async def consumer(options, progress, ready, go):
    """Claims and finishes a batch at a time; waits where there are no jobs, for a notification or the time to look."""
    texts, size = options["texts"], options["batch"]
    connection = await asyncpg.connect(options["dsn"])
    claim = await connection.prepare(texts["claim"])
    finish = await connection.prepare(texts["finish"])
    woken = asyncio.Event()
    if texts.get("listen"):
        await connection.add_listener(texts["listen"], lambda *_: woken.set())
    ready.release()
    await go.wait()
    while True:
        woken.clear()
        rows = await claim.fetch(size)
        if rows:
            if progress.starts is not None:
                for row in rows:
                    progress.started(json.loads(row["payload"])["s"])
            progress.hit(len(rows))
            await finish.fetch([row["id"] for row in rows])
            if options.get("greedy", True) or len(rows) == size:
                continue
        try:
            await asyncio.wait_for(woken.wait(), options.get("poll", 0.1))
        except asyncio.TimeoutError:
            pass


async def work(options):
    progress = Progress(options)
    ready, go = asyncio.Semaphore(0), asyncio.Event()
    tasks = [asyncio.create_task(consumer(options, progress, ready, go)) for _ in range(options["consumers"])]
    for _ in tasks:
        await ready.acquire()
    await wait_for_go()
    go.set()
    await asyncio.gather(progress.keep_telling(), *tasks)


main(install=install, enqueue1=enqueue1, batch=batch, work=work, latency=latency)
