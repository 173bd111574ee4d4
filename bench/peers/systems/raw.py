"""What one writes by hand: the floor that every queue in PostgreSQL is compared with."""
from dataclasses import replace

from peers.system import System

SCHEMA = """
CREATE TABLE job (
    id bigserial PRIMARY KEY,
    entrypoint text NOT NULL,
    priority int NOT NULL DEFAULT 0,
    status smallint NOT NULL DEFAULT 0,
    payload bytea,
    run_at timestamptz NOT NULL DEFAULT now(),
    locked_at timestamptz
);
CREATE INDEX job_ready ON job (entrypoint, priority DESC, id) WHERE status = 0;
CREATE TABLE job_log (
    id bigint NOT NULL,
    entrypoint text NOT NULL,
    priority int NOT NULL,
    status smallint NOT NULL,
    finished_at timestamptz NOT NULL DEFAULT now()
);
"""
CLAIM = """
WITH claimed AS (
    SELECT id FROM job
     WHERE status = 0 AND entrypoint = 'bench' AND run_at <= now()
     ORDER BY priority DESC, id FOR UPDATE SKIP LOCKED LIMIT $1::int)
UPDATE job SET status = 1, locked_at = now() FROM claimed WHERE job.id = claimed.id RETURNING job.id, job.payload"""
FINISH = """
WITH ended AS (DELETE FROM job WHERE id = ANY ($1::bigint[]) RETURNING id, entrypoint, priority)
INSERT INTO job_log (id, entrypoint, priority, status) SELECT id, entrypoint, priority, 2 FROM ended"""
INSERT = "INSERT INTO job (entrypoint, payload) VALUES ('bench', $1::bytea)"
INSERT_MANY = "INSERT INTO job (entrypoint, payload) SELECT 'bench', unnest($1::bytea[])"


def notifying(insert):
    return f"WITH inserted AS ({insert} RETURNING 1) SELECT pg_notify('job_new', '') FROM inserted LIMIT 1"


RAW = System(
    name="raw",
    driver="drive_sql.py",
    pending="SELECT count(*) FROM job",
    settings="asyncpg; 4 connections that claim 500 at a time; looks each 100 ms",
    texts={"install": [SCHEMA], "enqueue": INSERT, "enqueue_many": INSERT_MANY, "claim": CLAIM, "finish": FINISH},
    work={"consumers": 4, "batch": 500},
    contention={"processes": 2, "consumers": 16, "batch": 1},
    latency={"consumers": 1, "batch": 10},
    idle={"consumers": 20, "batch": 10},
)
SYSTEMS = [
    RAW,
    replace(
        RAW,
        name="raw-notify",
        settings="as raw, with pg_notify in every enqueue; LISTEN, looks each 30 s",
        texts={
            **RAW.texts,
            "enqueue": notifying(INSERT),
            "enqueue_many": notifying(INSERT_MANY),
            "listen": "job_new",
        },
        latency={"consumers": 1, "batch": 10, "poll": 30},
        idle={"consumers": 20, "batch": 10, "poll": 30},
        scenarios=("enqueue1", "enqueue32", "enqueue_batch", "latency", "idle"),
    ),
]
