"""Graphile Worker. Its documentation quotes 24 jobs at a time and a local queue of 500; more of both is faster for no-ops."""
from peers.system import System

BEST = {
    "concurrentJobs": 100,
    "maxPoolSize": 10,
    "localQueue": {"size": 2000},
    "completeJobBatchDelay": 0,
    "failJobBatchDelay": 0,
}
SYSTEMS = [
    System(
        name="graphile-worker",
        driver="drive_graphile.mjs",
        pending="SELECT count(*) FROM graphile_worker._private_jobs",
        settings="concurrentJobs 100, localQueue 2000, completeJobBatchDelay 0; contention: 2 × concurrentJobs 16 with neither",
        work={"worker": BEST},
        contention={"processes": 2, "worker": {"concurrentJobs": 16, "maxPoolSize": 17}},
        latency={"worker": BEST},
        idle={"runners": 20, "worker": {**BEST, "maxPoolSize": 4}},
    ),
]
