"""What grows: how a queue gets to a size, and what is asked of it then."""
from dataclasses import dataclass
from typing import Callable

from server import Failure

DATABASE = "bench"
BATCH = 10
# As many as can be claimed, beside what grows.
READY = 20_000
# A turn of a queue that neither grows nor shrinks: jobs come, as many are claimed, as many end.
LIFE = """SELECT count(*) FROM unnest(pgq.enqueue_many_text('{fetch}', array_fill('x'::text, ARRAY[:batch]))) \\gset
SELECT array_agg(id) AS ids FROM pgq.dequeue('{:entrypoints}', :batch) HAVING count(*) > 0 \\gset
SELECT pgq.complete_many(:ids);
"""


@dataclass(frozen=True)
class Axis:
    """A picture: what grows, the sizes, what brings a fresh queue there, and what the worker asks for."""

    name: str
    title: str
    sizes: list
    prepare: Callable
    entrypoints: Callable = lambda size: "fetch"
    # Jobs a call.
    batch: int = BATCH
    # How many sessions work at a time.
    clients: Callable = lambda size: 1

    def script(self, size):
        return LIFE.replace(":entrypoints", self.entrypoints(size)).replace(":batch", str(self.batch))


def enqueue(server, count, entrypoint="'fetch'", **columns):
    """So many jobs, ten thousand a transaction. Each list is given as an expression of the number `i` of a job."""
    lists = "".join(f", {name} => array_agg({value} ORDER BY i)" for name, value in columns.items())
    for first in range(0, count, 10_000):
        server.sql(
            f"SELECT cardinality(pgq.enqueue_many_text(array_agg(({entrypoint})::text ORDER BY i), array_agg('x'::text){lists})) "
            f"FROM generate_series({first + 1}, {min(first + 10_000, count)}) AS i",
            DATABASE,
        )


def backlog(server, size):
    enqueue(server, size)


def deferred(server, size):
    enqueue(server, READY)
    enqueue(server, size, priorities="100", execute_after="now() + interval '1 day'")


def limited(server, size):
    enqueue(server, READY)
    server.sql("SELECT pgq.configure('limited', concurrency_limit => 1)", DATABASE)
    enqueue(server, max(size, 1), "'limited'", priorities="100")
    hold(server, "limited", 1)


def paused(server, size):
    enqueue(server, READY)
    enqueue(server, size, "'paused'", priorities="100")
    server.sql("SELECT pgq.pause('paused')", DATABASE)


def in_flight(server, size):
    enqueue(server, size, "'held'")
    hold(server, "held", size)
    enqueue(server, READY)


def in_flight_in_front(server, size):
    enqueue(server, size)
    hold(server, "fetch", size)
    enqueue(server, READY)


def hold(server, entrypoint, count):
    """A worker holds so many, as long as anybody measures."""
    if not count:
        return
    worker = "7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11"
    claim = f"SELECT count(*) FROM pgq.dequeue('{{{entrypoint}}}', 1000, '{worker}', '1 day')"
    held = sum(int(server.sql(claim, DATABASE)[0][0]) for _ in range(0, count, 1000))
    if held != count:
        raise Failure(f"{held:,} of {count:,} jobs could be claimed")


def entrypoints(server, size):
    enqueue(server, READY)
    enqueue(server, size * 10, f"'other ' || i % {size}")


def asked_for(server, size):
    enqueue(server, READY)
    enqueue(server, size * 10, f"'other ' || i % {size}", execute_after="now() + interval '1 day'")


def priorities(server, size):
    enqueue(server, READY * 5, priorities=f"i % {size}")


def keys(server, size):
    enqueue(server, READY * 5, ordering_keys=f"'key ' || i % {size}")


def consumers(server, size):
    enqueue(server, READY * 5)


def databases(server, size):
    enqueue(server, READY)
    [[there]] = server.sql("SELECT count(*) FROM pg_database WHERE datname LIKE 'other%'")
    for number in range(int(there) + 1, size):
        server.sql(f"CREATE DATABASE other_{number}")
        server.sql("CREATE EXTENSION pgqueuer; SELECT pgq.enqueue('fetch', delay => '1 day')", f"other_{number}")


def powers(first, last):
    return [10**power for power in range(first, last + 1)]


AXES = [
    Axis("backlog", "jobs that wait", powers(3, 7), backlog),
    Axis("deferred", "deferred jobs of a higher priority", [0, *powers(2, 6)], deferred),
    Axis("limited", "jobs of a higher priority, of an entrypoint at its limit", [0, *powers(2, 6)], limited,
         lambda size: "fetch,limited"),
    Axis("paused", "jobs of a higher priority, of a paused entrypoint", [0, *powers(2, 6)], paused, lambda size: "fetch,paused"),
    Axis("in-flight", "jobs in flight, of another entrypoint", [0, *powers(2, 5)], in_flight),
    Axis("in-front", "jobs in flight, of the same entrypoint", [0, *powers(2, 5)], in_flight_in_front),
    Axis("entrypoints", "entrypoints that have jobs; the worker asks for one", powers(0, 4), entrypoints),
    Axis("asked-for", "entrypoints that the worker asks for; one has jobs", powers(0, 3), asked_for,
         lambda size: ",".join(["fetch", *(f"other {number}" for number in range(size))])),
    Axis("priorities", "priorities of 100,000 jobs", powers(0, 3), priorities),
    Axis("keys", "ordering keys of 100,000 jobs, one job a call", powers(0, 5), keys, batch=1),
    Axis("consumers", "sessions that work side by side", [1, 2, 4, 8, 16, 32, 64, 128, 200], consumers, clients=lambda size: size),
    Axis("databases", "databases with a queue, four background workers", [1, 2, 5, 10, 20, 50], databases),
]
