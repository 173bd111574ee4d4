"""What is measured of a system. Each function returns a figure and what belongs to it."""
import time
from dataclasses import dataclass

from figures import percentile
from peers.driver import wait_until
from server import Failure

BATCH = 1000
#: Seconds of enqueueing one by one.
ENQUEUEING = 1
#: Seconds after which a drain is cut off.
LIMIT = 30
LATENCY_JOBS, A_SECOND = 300, 20.0


@dataclass(frozen=True)
class Figure:
    value: float
    details: dict


def enqueue1(ground, system, scale):
    return enqueue(ground, system, 1)


def enqueue32(ground, system, scale):
    return enqueue(ground, system, 32)


def enqueue(ground, system, connections):
    with ground.database(system):
        result = ground.once(system, "enqueue1", conns=connections, seconds=ENQUEUEING)
    return Figure(result["jobs"] / result["seconds"], {"jobs": result["jobs"]})


def enqueue_batch(ground, system, scale):
    jobs = scaled(min(system.drain_jobs, 50_000), scale)
    with ground.database(system):
        seconds = load(ground, system, jobs)
    return Figure(jobs / seconds, {"jobs": jobs})


def drain(ground, system, scale):
    return loaded_and_drained(ground, system, scaled(system.drain_jobs, scale), system.work)


def contention(ground, system, scale):
    return loaded_and_drained(ground, system, scaled(system.contention_jobs, scale), system.contention)


def loaded_and_drained(ground, system, jobs, options):
    with ground.database(system) as connection:
        load(ground, system, jobs)
        connection.execute("VACUUM ANALYZE")
        return drained(ground, system, connection, options)


def drain_held(ground, system, scale):
    """Behind jobs that were consumed under a snapshot that is still held: none of their dead rows can be removed."""
    with ground.database(system) as connection, ground.server.snapshot(connection.info.dbname, True):
        load(ground, system, scaled(system.held_jobs, scale))
        connection.execute("ANALYZE")
        before = drained(ground, system, connection, system.work)
        load(ground, system, scaled(system.drain_jobs, scale))
        connection.execute("ANALYZE")
        figure = drained(ground, system, connection, system.work)
    return Figure(figure.value, {**figure.details, "before": before.details["done"], "rate before": before.value})


def scaled(jobs, scale):
    return max(BATCH, int(jobs * scale))


def load(ground, system, jobs):
    return ground.once(system, "batch", total=jobs, size=BATCH)["seconds"]


def drained(ground, system, connection, options):
    """Jobs a second, from the first one's start until the database has none that is not finished."""

    def pending():
        return connection.execute(system.pending).fetchone()[0]

    jobs = pending()
    expected = {} if "processes" in options else {"expect": jobs}
    with ground.workers(system, {**options, **expected}) as drivers:
        for driver in drivers:
            driver.begin()
        if not wait_until(LIMIT, lambda: any(driver.first for driver in drivers), drivers):
            raise Failure(f"no job was started in {LIMIT} s")
        first = min(driver.first for driver in drivers if driver.first)

        def finished():
            return sum(driver.handled for driver in drivers) >= jobs and pending() == 0

        in_time = wait_until(LIMIT - (time.time() - first), finished, drivers)
        end = time.time()
        done = jobs if in_time else jobs - pending()
    return Figure(done / (end - first), {"done": done, "jobs": jobs, "cut off": not in_time})


def latency(ground, system, scale):
    """Milliseconds from the producer's knowing of its commit to the start of the handler, in two processes."""
    with ground.database(system), ground.workers(system, {**system.latency, "log": True, "greedy": False}) as [worker]:
        worker.begin()
        # Whatever a worker does at its start is over; nothing tells when.
        time.sleep(2)
        sent = ground.once(system, "latency", n=LATENCY_JOBS, rate=A_SECOND)["rows"]
        if not wait_until(12, lambda: len(worker.starts) >= LATENCY_JOBS, [worker]):
            raise Failure(f"{len(worker.starts)} of {LATENCY_JOBS} jobs were started")
        starts = dict(worker.starts)
    times = [(starts[number] - committed) * 1000 for number, _, committed in sent]
    p50, p95, p99 = (percentile(times, share) for share in (0.5, 0.95, 0.99))
    return Figure(p50, {"p50": p50, "p95": p95, "p99": p99})
