"""Procrastinate."""
from peers.system import System

SYSTEMS = [
    System(
        name="procrastinate",
        driver="drive_procrastinate.py",
        pending="SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')",
        settings="concurrency 30, pool 20, delete_jobs always, uvloop",
        work={"concurrency": 30, "pool": 20},
        contention={"processes": 2, "concurrency": 16, "pool": 20},
        latency={"concurrency": 30, "pool": 10},
        idle={"workers": 20, "concurrency": 1, "pool": 4},
        drain_jobs=6_000,
        held_jobs=15_000,
        contention_jobs=6_000,
    ),
]
