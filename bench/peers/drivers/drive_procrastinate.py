"""Procrastinate."""
import asyncio
import logging

import procrastinate
from protocol import Progress, main, paced, payload, say, timed_batches, timed_enqueue, wait_for_go

logging.disable(logging.WARNING)


def app_of(options, progress=None, pool=10):
    connector = procrastinate.PsycopgConnector(conninfo=options["dsn"], min_size=min(pool, 4), max_size=pool)
    app = procrastinate.App(connector=connector)

    @app.task(name="bench")
    async def bench(s, p):
        if progress.starts is not None:
            progress.started(s)
        progress.hit()

    return app, bench


async def install(options):
    app, _ = app_of(options)
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
    say(e="result")


async def enqueue1(options):
    app, task = app_of(options, pool=options["conns"])

    async def make():
        return lambda sequence: task.defer_async(**payload(sequence))

    async with app.open_async():
        await timed_enqueue(make, options)


async def batch(options):
    app, task = app_of(options)
    async with app.open_async():
        await timed_batches(lambda sequences: task.batch_defer_async(*map(payload, sequences)), options)


async def latency(options):
    app, task = app_of(options)
    async with app.open_async():
        await paced(lambda sequence: task.defer_async(**payload(sequence)), options)


async def work(options):
    progress = Progress(options)
    apps = []
    for _ in range(options.get("workers", 1)):
        app, _ = app_of(options, progress, options["pool"])
        await app.open_async()
        apps.append(app)
    await wait_for_go()
    settings = {"concurrency": options["concurrency"], "delete_jobs": "always", "install_signal_handlers": False}
    await asyncio.gather(progress.keep_telling(), *(app.run_worker_async(**settings) for app in apps))


main(install=install, enqueue1=enqueue1, batch=batch, work=work, latency=latency)
