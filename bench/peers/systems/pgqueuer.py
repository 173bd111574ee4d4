"""pgqueuer: through its client, and through its SQL alone."""
from peers.system import System

PENDING = "SELECT count(*) FROM pgq.jobs"
SQL = {
    "install": ["CREATE EXTENSION pgqueuer"],
    "enqueue": "SELECT pgq.enqueue('bench', $1::bytea)",
    "enqueue_many": "SELECT pgq.enqueue_many('{bench}', $1::bytea[])",
    "claim": "SELECT id, payload FROM pgq.dequeue('{bench}', $1::int)",
    "finish": "SELECT pgq.complete_many($1::bigint[])",
    "listen": "pgq_bench",
}
SYSTEMS = [
    System(
        name="pgqueuer",
        driver="client",
        pending=PENDING,
        settings="the crate pgqueuer-client; one worker of concurrency 1000; contention: 2 × 16 workers of concurrency 1",
        work={"concurrency": 1000},
        contention={"processes": 2, "workers": 16, "concurrency": 1},
        latency={"concurrency": 10},
        idle={"workers": 20, "concurrency": 10},
    ),
    System(
        name="pgqueuer-sql",
        driver="drive_sql.py",
        pending=PENDING,
        settings="its functions through asyncpg; 4 connections that claim 500 at a time; LISTEN, looks each 30 s",
        texts=SQL,
        work={"consumers": 4, "batch": 500},
        contention={"processes": 2, "consumers": 16, "batch": 1},
        latency={"consumers": 1, "batch": 10, "poll": 30},
        idle={"consumers": 20, "batch": 10, "poll": 30},
    ),
]
