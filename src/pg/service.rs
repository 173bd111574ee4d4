//! What a background worker needs beside what sessions need.

use super::set;
use crate::error::{self, Error};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgSqlErrorCode, PgTryBuilder};
use std::ffi::CStr;
use std::panic::AssertUnwindSafe;

/// Begins the service of this background worker in a database: connects, and sees that its work never waits for others.
/// False where there is nothing to serve.
pub fn enter(database: u32) -> bool {
    pgrx::bgworkers::BackgroundWorker::connect_worker_to_spi_by_oid(Some(pg_sys::Oid::from(database)), None);
    for (name, value) in SERVICE {
        set(name, value);
    }
    // SAFETY: a flag of the server.
    unsafe { !pg_sys::IsBinaryUpgrade }
}

/// Settings of a background worker: what it writes can be lost with a crash and is written anew; it waits for no lock.
/// What the database or the role sets for sessions is not for it.
const SERVICE: [(&CStr, &CStr); 8] = [
    (c"synchronous_commit", c"off"),
    (c"lock_timeout", c"100ms"),
    (c"search_path", c"pg_catalog, pg_temp"),
    (c"statement_timeout", c"0"),
    (c"default_transaction_read_only", c"off"),
    (c"default_transaction_isolation", c"read committed"),
    (c"default_transaction_deferrable", c"off"),
    (c"row_security", c"on"),
];

/// Reads the configuration again.
pub fn reload_settings() {
    // SAFETY: between transactions, as every process does on SIGHUP.
    unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
}

/// Leaves, to be started again by the server after a moment.
pub fn come_back() {
    // SAFETY: runs the callbacks of the process's end; does not return. A code other than 0 asks for another start.
    unsafe { pg_sys::proc_exit(1) };
}

/// Does something in a transaction of its own. `None` where that failed: it is rolled back, and the log says why.
pub fn in_transaction<R>(act: impl FnOnce() -> Result<R, Error>) -> Option<R> {
    let whole = AssertUnwindSafe(|| {
        // SAFETY: outside of a transaction, as between two commands of a session; an ERROR leads to the abort below.
        unsafe {
            pg_sys::SetCurrentStatementStartTimestamp();
            pg_sys::StartTransactionCommand();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let answer = act().unwrap_or_else(|error| error::raise(error));
            pg_sys::PopActiveSnapshot();
            pg_sys::CommitTransactionCommand();
            Some(answer)
        }
    });
    PgTryBuilder::new(whole)
        .catch_others(|cause| {
            // SAFETY: the ERROR has been taken over by `cause`; this ends what is left of the transaction.
            unsafe { pg_sys::AbortCurrentTransaction() };
            log(&cause);
            None
        })
        .execute()
}

fn log(cause: &CaughtError) {
    let report = match cause {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    // Somebody has locked a table, as an ALTER TABLE does: nothing to tell.
    if report.sql_error_code() == PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE {
        return;
    }
    let message = report.message();
    let message = format!("pgqueuer could not do a part of its work, and will try again: {message}");
    error::log(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, &message, "Its worker goes on with the other parts.");
}

/// Tells the statistics what was written, so that autovacuum knows. `idle` where the process is about to sleep long.
pub fn report_statistics(idle: bool) {
    // SAFETY: outside of a transaction.
    unsafe { pg_sys::pgstat_report_stat(idle) };
}
