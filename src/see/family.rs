//! Every metric, with its type, labels and meaning. `docs/metrics.md` is compared with what is printed by a test.

use pgqueuer_core::exposition::Kind::{self, Counter, Gauge, Histogram};
use pgqueuer_core::exposition::Metric;

const fn of_entrypoint(name: &'static str, kind: Kind, help: &'static str) -> Metric {
    Metric { name, kind, labels: &["entrypoint"], help }
}

const fn of_database(name: &'static str, help: &'static str) -> Metric {
    Metric { name, kind: Gauge, labels: &[], help }
}

pub const INFO: Metric = Metric {
    name: "pgqueuer_info",
    kind: Gauge,
    labels: &["version", "extension_version"],
    help: "1, with the versions of the library and of the extension.",
};
pub const PRELOADED: Metric =
    of_database("pgqueuer_preloaded", "1 where the library is preloaded, 0 where nothing can be claimed.");
pub const STANDBY: Metric = of_database("pgqueuer_standby", "1 on a standby, which hands out nothing.");
pub const DATABASE_WORKER: Metric = of_database(
    "pgqueuer_database_worker_running",
    "1 while this database has its background worker, or gets it when there is something to do.",
);
pub const ENQUEUED: Metric = of_entrypoint(
    "pgqueuer_enqueued_total",
    Counter,
    "Jobs enqueued since the server started. The empty entrypoint stands for those beyond pgqueuer.max_entrypoints.",
);
pub const CLAIMS: Metric =
    of_entrypoint("pgqueuer_claims_total", Counter, "Claims committed since the server started.");
pub const ENDED: Metric = Metric {
    name: "pgqueuer_ended_total",
    kind: Counter,
    labels: &["entrypoint", "outcome"],
    help: "Attempts and jobs that ended since the server started, each a row of pgq.job_log.",
};
pub const WAIT: Metric = of_entrypoint(
    "pgqueuer_wait_seconds",
    Histogram,
    "From when a job was due to its claim, of the claims since the server started.",
);
pub const RUN: Metric = of_entrypoint(
    "pgqueuer_run_seconds",
    Histogram,
    "From a claim to its end by its worker, of those that ended since the server started.",
);
pub const IN_FLIGHT: Metric = of_entrypoint("pgqueuer_in_flight_jobs", Gauge, "Jobs that workers hold.");
pub const DUE: Metric = of_entrypoint(
    "pgqueuer_due_jobs",
    Gauge,
    "Queued jobs that are due, counted up to pgqueuer_count_limit_jobs. On a standby those in flight are among them.",
);
pub const DEFERRED: Metric = of_entrypoint(
    "pgqueuer_deferred_jobs",
    Gauge,
    "Queued jobs that are not due yet, counted up to pgqueuer_count_limit_jobs.",
);
pub const HELD: Metric =
    of_entrypoint("pgqueuer_held_jobs", Gauge, "Jobs held as failed, counted up to pgqueuer_count_limit_jobs.");
pub const COUNT_LIMIT: Metric = Metric {
    name: "pgqueuer_count_limit_jobs",
    kind: Gauge,
    labels: &["of"],
    help: "Up to how many jobs of an entrypoint are counted: 10000 due ones, fewer where there are more than five entrypoints, and a tenth of that of others.",
};
pub const OLDEST_DUE: Metric = of_entrypoint(
    "pgqueuer_oldest_due_job_age_seconds",
    Gauge,
    "For how long the queued job has been due that has been for longest; 0 if none is.",
);
pub const LIMIT: Metric = of_entrypoint(
    "pgqueuer_concurrency_limit_jobs",
    Gauge,
    "How many jobs may be in flight at one time; 0 for any number.",
);
pub const PAUSED: Metric = of_entrypoint("pgqueuer_paused", Gauge, "1 while the entrypoint is paused.");
pub const WORKERS: Metric = Metric {
    name: "pgqueuer_workers",
    kind: Gauge,
    labels: &["kind"],
    help: "Workers that hold jobs or were heard of lately, by kind: session or named.",
};
pub const WAITING: Metric =
    of_database("pgqueuer_waiting_sessions", "Sessions in CALL pgq.wait, pgq.wait_for or pgq.wait_for_any.");
pub const MEMORY_USED: Metric = Metric {
    name: "pgqueuer_memory_used",
    kind: Gauge,
    labels: &["of"],
    help: "Entries of each table in memory, of all databases.",
};
pub const MEMORY_ROOM: Metric = Metric {
    name: "pgqueuer_memory_room",
    kind: Gauge,
    labels: &["of"],
    help: "For how many entries each table in memory has room.",
};
pub const MEMORY_FORGOTTEN: Metric = Metric {
    name: "pgqueuer_memory_forgotten_total",
    kind: Counter,
    labels: &["of"],
    help: "Entries that made room for others since the server started.",
};
pub const LOG_BYTES: Metric = of_database("pgqueuer_log_bytes", "Size of pgq.job_log with its indexes.");
pub const DEAD_ROWS: Metric = of_database("pgqueuer_dead_rows", "Dead rows of pgq.job, as the statistics have it.");
pub const LIVE_ROWS: Metric = of_database("pgqueuer_live_rows", "Live rows of pgq.job, as the statistics have it.");
pub const SNAPSHOT_AGE: Metric = of_database(
    "pgqueuer_oldest_snapshot_age_transactions",
    "How many transactions ago the oldest snapshot was taken: it keeps dead rows.",
);
pub const NOTIFICATIONS: Metric = of_database(
    "pgqueuer_notification_queue_ratio",
    "How much of the server's queue of notifications is used, 0 to 1.",
);
