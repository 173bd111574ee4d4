"""PgQueuer for Python."""
from peers.system import System

SYSTEMS = [
    System(
        name="pgqueuer-python",
        driver="drive_pgqueuer_python.py",
        pending="SELECT count(*) FROM pgqueuer WHERE status IN ('queued', 'picked')",
        settings="asyncpg, uvloop, the settings that it recommends for autovacuum; 2 workers of batch_size 500",
        work={"consumers": 2, "batch": 500},
        contention={"processes": 2, "consumers": 16, "batch": 1},
        latency={"consumers": 1, "batch": 10},
        idle={"consumers": 20, "batch": 10},
        drain_jobs=60_000,
        held_jobs=100_000,
    ),
]
