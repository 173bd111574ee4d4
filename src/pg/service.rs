//! What a background worker needs beside what sessions need.

use super::procedure::User;
use super::{Time, set, version};
use crate::error::{self, Error};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::CaughtError;
use pgrx::{PgSqlErrorCode, PgTryBuilder};
use std::ffi::CStr;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};

// A handler of signals, as it is: a wrapper of pgrx is no function that C can call.
unsafe extern "C-unwind" {
    fn die(signal: std::ffi::c_int);
}

/// Somebody has told this process to end. The server's own flag is down again when the process ends in the middle of a
/// statement.
static TOLD_TO_END: AtomicBool = AtomicBool::new(false);

unsafe extern "C-unwind" fn on_end(signal: std::ffi::c_int) {
    TOLD_TO_END.store(true, Ordering::Relaxed);
    // SAFETY: the server's own handler, called as one.
    unsafe { die(signal) };
}

/// Whether this process was told to end.
pub fn is_told_to_end() -> bool {
    TOLD_TO_END.load(Ordering::Relaxed)
}

/// What a background worker is told by signals.
///
/// SIGTERM is the server's own `die`: it ends a statement in its middle, and a sleep at once (see [`sleep_until`]).
pub fn take_signals() {
    // SAFETY: handlers of the server, set before signals are let through.
    unsafe {
        version::handle_signal(pg_sys::SIGTERM as i32, on_end);
        version::handle_signal(pg_sys::SIGHUP as i32, version::SignalHandlerForConfigReload);
        pg_sys::BackgroundWorkerUnblockSignals();
    }
}

/// Connects this background worker to a database.
pub fn enter(database: u32) {
    // SAFETY: once a process; an unknown database ends it.
    unsafe {
        let database = pg_sys::Oid::from(database);
        pg_sys::BackgroundWorkerInitializeConnectionByOid(database, pg_sys::InvalidOid, 0);
    }
}

/// Connects this background worker to no database: it sees the catalogs that all of them share.
pub fn enter_none() {
    // SAFETY: once a process.
    unsafe { pg_sys::BackgroundWorkerInitializeConnection(std::ptr::null(), std::ptr::null(), 0) };
}

/// Why a sleep has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    /// It was told, or the time has come.
    Look,
    /// The configuration was read again.
    Reloaded,
    /// The process is to end.
    Leave,
}

/// Sleeps until a time, or until told; then reads the configuration again if it has changed. Here a background worker waits
/// for something to do.
pub fn sleep_until(until: Time) -> Woken {
    super::pause(until.saturating_sub(super::now()), pg_sys::PG_WAIT_EXTENSION);
    if is_told_to_end() {
        return Woken::Leave;
    }
    // SAFETY: between transactions. Interrupts are taken after each wake: every process must answer those that concern all,
    // or a DROP DATABASE waits for it.
    unsafe {
        if pg_sys::InterruptPending != 0 {
            // There is nothing to cancel, and the ERROR would end the process.
            pg_sys::QueryCancelPending = 0;
            pg_sys::ProcessInterrupts();
        }
        if pg_sys::ConfigReloadPending != 0 {
            pg_sys::ConfigReloadPending = 0;
            pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP);
            return Woken::Reloaded;
        }
    }
    Woken::Look
}

/// Settings of a background worker: what it writes can be lost with a crash and is written anew; it waits for no lock.
/// What the database or the role sets for sessions is not for it.
const SERVICE: &[(&CStr, &CStr)] = &[
    (c"synchronous_commit", c"off"),
    (c"lock_timeout", c"100ms"),
    (c"search_path", c"pg_catalog, pg_temp"),
    (c"statement_timeout", c"0"),
    (c"default_transaction_read_only", c"off"),
    (c"default_transaction_isolation", c"read committed"),
    (c"default_transaction_deferrable", c"off"),
    (c"row_security", c"on"),
];

/// Leaves, to be started again by the server after a moment.
pub fn come_back() {
    // SAFETY: runs the callbacks of the process's end; does not return. A code other than 0 asks for another start.
    unsafe { pg_sys::proc_exit(1) };
}

/// Why a transaction of a background worker was rolled back.
#[derive(Debug)]
pub struct Failure {
    /// The message.
    pub message: String,
    /// It is no fault of what was to be done: a lock, a cancel, a lack of memory or disk. The same may work in a while.
    pub passes: bool,
}

/// Does something in a transaction of its own.
///
/// # Errors
/// What went wrong: it is rolled back, and the log says so, too.
pub fn in_transaction<R>(act: impl FnOnce() -> Result<R, Error>) -> Result<R, Failure> {
    // Each time: a trigger of somebody may have changed them for the session.
    for (name, value) in SERVICE.iter().chain(version::SERVICE) {
        set(name, value);
    }
    let before = User::current();
    let whole = AssertUnwindSafe(|| {
        // SAFETY: outside of a transaction, as between two commands of a session; an ERROR leads to the abort below.
        unsafe {
            pg_sys::SetCurrentStatementStartTimestamp();
            pg_sys::StartTransactionCommand();
            pg_sys::PushActiveSnapshot(pg_sys::GetTransactionSnapshot());
            let answer = act().unwrap_or_else(|error| error::raise(error));
            pg_sys::PopActiveSnapshot();
            pg_sys::CommitTransactionCommand();
            version::signal_listeners();
            // Whatever was deferred to the commit has run in the name of whom the transaction had become.
            before.restore();
            Ok(answer)
        }
    });
    PgTryBuilder::new(whole)
        .catch_others(|cause| {
            // SAFETY: the ERROR has been taken over by `cause`; this ends what is left of the transaction.
            unsafe { pg_sys::AbortCurrentTransaction() };
            Err(log(&cause))
        })
        .execute()
}

fn log(cause: &CaughtError) -> Failure {
    let report = match cause {
        CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => report,
        CaughtError::RustPanic { ereport, .. } => ereport,
    };
    let message = report.message().to_owned();
    // Somebody has locked a table, as an ALTER TABLE does: nothing to tell.
    if report.sql_error_code() != PgSqlErrorCode::ERRCODE_LOCK_NOT_AVAILABLE {
        let line = format!("pgqueuer could not do a part of its work, and will try again: {message}");
        error::log(PgSqlErrorCode::ERRCODE_INTERNAL_ERROR, &line, "Its worker goes on with the other parts.");
    }
    Failure { message, passes: passes(report.sql_error_code()) }
}

fn passes(code: PgSqlErrorCode) -> bool {
    use PgSqlErrorCode as Code;
    matches!(
        code,
        Code::ERRCODE_LOCK_NOT_AVAILABLE
            | Code::ERRCODE_QUERY_CANCELED
            | Code::ERRCODE_T_R_SERIALIZATION_FAILURE
            | Code::ERRCODE_T_R_DEADLOCK_DETECTED
            | Code::ERRCODE_INSUFFICIENT_RESOURCES
            | Code::ERRCODE_DISK_FULL
            | Code::ERRCODE_OUT_OF_MEMORY
            | Code::ERRCODE_TOO_MANY_CONNECTIONS
            | Code::ERRCODE_IO_ERROR
    )
}

/// Tells the statistics what was written, so that autovacuum knows. `idle` where the process is about to sleep long.
pub fn report_statistics(idle: bool) {
    // SAFETY: outside of a transaction.
    unsafe { pg_sys::pgstat_report_stat(idle) };
}
