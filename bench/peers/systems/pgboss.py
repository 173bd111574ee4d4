"""pg-boss. Its jobs stay in the table for a while when they are done."""
from peers.system import System

LISTENING = {"useListenNotify": True}
SYSTEMS = [
    System(
        name="pg-boss",
        driver="drive_pgboss.mjs",
        pending="SELECT count(*) FROM pgboss.job WHERE name = 'bench' AND state < 'completed'",
        settings="notify, useListenNotify; batchSize 5000, localConcurrency 2, burstWhenBatchFull; contention: 2 × 16 loops of "
        "fetch() and complete()",
        work={
            "boss": LISTENING,
            "worker": {
                "batchSize": 5000,
                "localConcurrency": 2,
                "burstWhenBatchFull": True,
                "pollingIntervalSeconds": 0.5,
                "notifyPollingIntervalSeconds": 0.5,
            },
        },
        contention={"processes": 2, "loops": 16, "boss": {"max": 16}},
        latency={"boss": LISTENING, "worker": {}},
        idle={"bosses": 20, "boss": {**LISTENING, "max": 3}, "worker": {}},
    ),
]
