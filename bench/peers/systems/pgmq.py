"""pgmq, as the SQL in its Python package; messages are deleted when they are done."""
from dataclasses import replace

from peers.system import System

PGMQ = System(
    name="pgmq",
    driver="drive_sql.py",
    pending="SELECT count(*) FROM pgmq.q_bench",
    settings="its functions read and delete through asyncpg; 4 connections that read 500 at a time",
    texts={
        "json": True,
        "install_files": [["pgmq", "sql/pgmq.sql"]],
        "install": ["SELECT pgmq.create('bench')"],
        "enqueue": "SELECT pgmq.send('bench', $1::jsonb)",
        "enqueue_many": "SELECT pgmq.send_batch('bench', $1::jsonb[])",
        "claim": "SELECT msg_id AS id, message AS payload FROM pgmq.read('bench', 300, $1)",
        "finish": "SELECT pgmq.delete('bench', $1::bigint[])",
    },
    work={"consumers": 4, "batch": 500},
    contention={"processes": 2, "consumers": 16, "batch": 1},
    scenarios=("enqueue1", "enqueue32", "enqueue_batch", "drain", "drain_held", "contention"),
)
SYSTEMS = [
    PGMQ,
    replace(
        PGMQ,
        name="pgmq-notify",
        settings="enable_notify_insert and LISTEN, looks each 30 s",
        texts={
            **PGMQ.texts,
            "install": ["SELECT pgmq.create('bench')", "SELECT pgmq.enable_notify_insert('bench', 0)"],
            "listen": "pgmq.q_bench.INSERT",
        },
        latency={"consumers": 1, "batch": 10, "poll": 30},
        idle={"consumers": 20, "batch": 10, "poll": 30},
        scenarios=("enqueue1", "enqueue32", "latency", "idle"),
    ),
]
