//! pgqueuer: a job queue inside PostgreSQL. Jobs are rows, claims are memory.
//!
//! ```text
//! enqueue ─▶ a row in pgq.job ─ commit ─▶ wake
//!               │
//! dequeue ──────┴─▶ candidates ─▶ claim in shared memory ─▶ look again ─▶ rows, status picked
//! complete, fail, retry, finish ─▶ fence ─▶ the row goes or changes, one row into the log ─ commit ─▶ the claim ends
//! ```
//!
//! In the order of the flow:
//!
//! - [`job`]       a job's way: enqueue, dequeue, finish, release
//! - [`lease`]     who a worker is, and what keeps its claims
//! - [`wait`]      waiting and listening
//! - [`background`] what must happen without a session that asks: wake-ups, lost workers, deferred jobs
//! - [`control`]   what an operator does to jobs and entrypoints
//! - [`schedule`]  each tick of a schedule enqueues a job
//! - [`installation`] whether schedules tick in this database, or it is a copy
//! - [`see`]       what memory shows
//! - [`shmem`]     the claim table and the transactions that change it
//! - [`statement`] every SQL statement; nothing else runs SQL
//! - [`guc`], [`error`], [`schema`], [`pg`]  settings, errors, the install script, raw calls
//!
//! Decisions that need no server live in the crate `pgqueuer-core`.

mod background;
mod control;
mod error;
mod guc;
mod installation;
mod job;
mod lease;
mod pg;
mod schedule;
mod schema;
mod see;
mod shmem;
mod statement;
#[cfg(any(test, feature = "pg_test"))]
mod tests;
mod wait;

/// Called once when the library is loaded: by the server where it is preloaded, else by the first session that needs it.
#[allow(non_snake_case)]
#[pgrx::pg_guard]
pub extern "C-unwind" fn _PG_init() {
    let preloading = pg::preloading();
    pg::planning::init();
    guc::init(preloading);
    if pg::upgrade::is_running() {
        pg::upgrade::init(installation::always_fire);
    }
    if preloading {
        shmem::init();
        background::init();
    }
}

/// Called by `cargo pgrx test`.
#[cfg(test)]
pub mod pg_test {
    /// Before the test server starts.
    pub fn setup(_options: Vec<&str>) {}

    /// Lines of its `postgresql.conf`.
    pub fn postgresql_conf_options() -> Vec<&'static str> {
        vec!["shared_preload_libraries = 'pgqueuer'", "pgqueuer.max_claims = 64"]
    }
}
