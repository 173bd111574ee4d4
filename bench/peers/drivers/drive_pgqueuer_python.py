"""PgQueuer for Python."""
import asyncio
import json
import logging

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.db import AsyncpgDriver
from pgqueuer.queries import Queries
from protocol import Progress, main, paced, payload_bytes, say, timed_batches, timed_enqueue, wait_for_go

logging.disable(logging.INFO)


async def driver(options):
    return AsyncpgDriver(await asyncpg.connect(options["dsn"]))


async def install(options):
    queries = Queries(await driver(options))
    await queries.install()
    await queries.optimize_autovacuum()
    say(e="result")


async def enqueuer(options):
    queries = Queries(await driver(options))
    return lambda sequence: queries.enqueue("bench", payload_bytes(sequence), 0)


async def enqueue1(options):
    await timed_enqueue(lambda: enqueuer(options), options)


async def latency(options):
    await paced(await enqueuer(options), options)


async def batch(options):
    queries = Queries(await driver(options))

    def call(sequences):
        count = len(sequences)
        return queries.enqueue(["bench"] * count, [payload_bytes(one) for one in sequences], [0] * count)

    await timed_batches(call, options)


async def work(options):
    progress = Progress(options)
    workers = []
    for _ in range(options["consumers"]):
        worker = PgQueuer(await driver(options))

        @worker.entrypoint("bench")
        async def bench(job):
            if progress.starts is not None:
                progress.started(json.loads(job.payload)["s"])
            progress.hit()

        workers.append(worker)
    await wait_for_go()
    await asyncio.gather(progress.keep_telling(), *(worker.run(batch_size=options["batch"]) for worker in workers))


main(install=install, enqueue1=enqueue1, batch=batch, work=work, latency=latency)
