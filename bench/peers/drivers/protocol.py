"""The lines that every driver speaks: `driver OPERATION JSON`, then JSON on standard output, a message a line.

`install` says `result`. The others say `ready` and wait for a line on standard input. `enqueue1`, `batch` and `latency` then
say `result`; `work` says `first` with the time of its first job, `n` with how many it has handled, and `starts` with number
and time of each where `log` asks for it, until it is killed.
"""
import asyncio
import json
import os
import sys
import time

import uvloop


def say(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


async def wait_for_go():
    say(e="ready")
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)


def payload(sequence):
    """About 100 bytes of JSON."""
    return {"s": sequence, "p": "x" * 80}


def payload_bytes(sequence):
    return b'{"s": %d, "p": "%s"}' % (sequence, b"x" * 80)


class Progress:
    """What a worker has handled. Told every 20 ms, and at once when it is all that is expected."""

    def __init__(self, options):
        self.handled, self.told = 0, 0
        self.expected = options.get("expect")
        self.starts = [] if options.get("log") else None

    def hit(self, jobs=1):
        if self.handled == 0:
            say(e="first", t=time.time())
        self.handled += jobs
        if self.handled == self.expected:
            self.tell()

    def started(self, sequence):
        self.starts.append((sequence, time.time()))

    def tell(self):
        if self.handled != self.told:
            self.told = self.handled
            say(e="n", n=self.handled)
        if self.starts:
            say(e="starts", rows=self.starts)
            self.starts = []

    async def keep_telling(self):
        while True:
            await asyncio.sleep(0.02)
            self.tell()


async def timed_enqueue(make, options):
    """Each of `conns` tasks calls an async function(sequence), which `make` gives it, for so many seconds."""
    calls = [await make() for _ in range(options["conns"])]
    for call in calls:
        await call(0)
    await wait_for_go()
    begun = time.perf_counter()
    end = begun + options["seconds"]

    async def loop(call):
        jobs = 0
        while time.perf_counter() < end:
            await call(jobs)
            jobs += 1
        return jobs

    jobs = sum(await asyncio.gather(*map(loop, calls)))
    say(e="result", jobs=jobs, seconds=time.perf_counter() - begun)


async def timed_batches(call, options):
    """`call(sequences)` enqueues a batch."""
    await wait_for_go()
    begun = time.perf_counter()
    total, size = options["total"], options["size"]
    for first in range(0, total, size):
        await call(range(first, min(first + size, total)))
    say(e="result", jobs=total, seconds=time.perf_counter() - begun)


async def paced(call, options):
    """One job after the other, so many a second. Tells when each call began, and when its commit was known."""
    await wait_for_go()
    rows = []
    following = time.time()
    for sequence in range(options["n"]):
        await asyncio.sleep(max(0, following - time.time()))
        called = time.time()
        await call(sequence)
        rows.append((sequence, called, time.time()))
        # Uneven, so that no poll falls in step with the arrivals.
        following += (0.5 + sequence * 7919 % 1000 / 1000) / options["rate"]
    say(e="result", rows=rows)


def main(**operations):
    operation, options = sys.argv[1], json.loads(sys.argv[2])
    uvloop.run(operations[operation](options))
    # Pools and threads of the libraries are left as they are.
    os._exit(0)
