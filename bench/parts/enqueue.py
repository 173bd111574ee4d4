"""Enqueues against bare INSERTs of the same rows: one at a time by 32 sessions, and a thousand a call."""
import sys
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass

from drain import DATABASE, LOAD_CALL, System
from figures import compared
from parts.sleepers import sleepers

CLIENTS = 32
WAITERS = 10
WHAT = f"enqueue, one at a time, {CLIENTS} sessions"
MANY = f"enqueue, {LOAD_CALL} a call, one session"


@dataclass(frozen=True)
class Variant:
    """What is called, and which entrypoint sessions wait for meanwhile. One that is woken in vain is a paused one."""

    words: str
    system: System
    waited_for: str = ""


OURS = System("pgqueuer", "pgqueuer", "pgq.job", "pgq.job_log")
BARE = Variant("bare INSERT", System("bare INSERT", "bare_insert", "bare.job", ""))
VARIANTS = [
    Variant("nobody waits", OURS),
    Variant(f"{WAITERS} in pgq.wait for another entrypoint", OURS, "idle"),
    Variant(f"{WAITERS} in pgq.wait for this one, which is paused", OURS, "fetch"),
]


def enqueue(server, sizes):
    rates = defaultdict(list)
    for number in range(1, sizes.enqueue_rounds + 1):
        for variant in BARE, *VARIANTS:
            rate = rate_of(server, variant, sizes.seconds, variant.system.text("enqueue.sql"), CLIENTS)
            rates[variant].append(rate)
            print(f"enqueue, round {number}, {variant.words}: {rate:,.0f}/s", file=sys.stderr)
    for variant in VARIANTS:
        yield compared(WHAT, variant.words, rates[variant], rates[BARE], 0.9, BARE.words)


def many(server, sizes):
    rates = defaultdict(list)
    for number in range(1, sizes.enqueue_rounds + 1):
        for variant in BARE, VARIANTS[0]:
            script = variant.system.text("load.sql")
            rate = LOAD_CALL * rate_of(server, variant, sizes.seconds, script, clients=1)
            rates[variant].append(rate)
            print(f"enqueue, {LOAD_CALL} a call, round {number}, {variant.system.name}: {rate:,.0f} jobs/s", file=sys.stderr)
    ours, bare = rates[VARIANTS[0]], rates[BARE]
    yield compared(MANY, "synchronous_commit = on", ours, bare, 0.8, "INSERT … SELECT unnest")


def rate_of(server, variant, seconds, script, clients):
    """Commits a second."""
    with server.fresh_database(DATABASE):
        server.sql(variant.system.text("install.sql"), DATABASE)
        if variant.waited_for == "fetch":
            server.sql("SELECT pgq.pause('fetch')", DATABASE)
        waiting = sleepers(server, WAITERS, variant.waited_for) if variant.waited_for else nullcontext()
        with waiting:
            done = server.pgbench(DATABASE, script, "on", "-c", clients, "-j", min(clients, 2), "-T", seconds)
        return done.transactions_per_second()
