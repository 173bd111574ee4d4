//! The few raw calls of PostgreSQL, each with what makes it sound. Nothing here knows what a job is.
//!
//! - [`argument`] values passed on as they came, and arrays
//! - [`spi`]      statements with kept plans, run with the newest snapshot
//! - [`service`]  what a background worker needs beside
//! - [`database`] the databases of the server
//! - [`planning`] what the planner knows meanwhile
//! - [`set`]      a set-returning function's result
//! - [`upgrade`]  a server that runs for pg_upgrade
//! - [`version`]  what differs between the versions of PostgreSQL
//! - `table`      tables and sequences of schema `pgq`, and locks on them
//! - [`procedure`] a procedure that commits in its middle, and sleeps
//! - this file    the session, the clock, notifications, checks

pub mod argument;
pub mod database;
pub mod planning;
pub mod procedure;
pub mod service;
pub mod set;
pub mod spi;
mod table;
pub mod upgrade;
pub mod version;

pub use table::{is_made_here, is_ours, lock_alone, lock_relation, relation, unlock_alone};

use crate::error::Error;
use pgqueuer_core::claims::Transaction;
use pgrx::datum::Interval;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::ffi::{CStr, CString};
use std::panic::AssertUnwindSafe;

// In no header that pgrx reads. `commands/async.h` and `commands/sequence.h` declare them the same in 12 to 18. Called
// inside a boundary that turns an ERROR into a panic, as pgrx does for those it declares.
unsafe extern "C-unwind" {
    fn Async_Notify(channel: *const std::ffi::c_char, payload: *const std::ffi::c_char);
    fn Async_Listen(channel: *const std::ffi::c_char);
    fn nextval_internal(relation: pg_sys::Oid, check_permissions: bool) -> i64;
}

/// Microseconds since 2000-01-01 UTC: a timestamptz.
pub type Time = i64;

/// Times are those of a clock that may be set, sleeps are not: so none is longer, microseconds.
pub const LONGEST_SLEEP: Time = 60_000_000;

/// The time, now.
pub fn now() -> Time {
    // SAFETY: reads the clock.
    unsafe { pg_sys::GetCurrentTimestamp() }
}

/// The object identifier of this session's database.
pub fn my_database() -> u32 {
    // SAFETY: set when the session begins and constant from then on.
    unsafe { pg_sys::MyDatabaseId }.into()
}

/// A clock that nobody sets, the same in all processes, microseconds.
pub fn steady() -> i64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: writes to the place that it is given; every system has this clock.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut time) };
    time.tv_sec.saturating_mul(1_000_000).saturating_add(time.tv_nsec / 1000)
}

/// Bytes that nobody can foretell.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: writes so many bytes.
    unsafe { pg_sys::pg_strong_random(bytes.as_mut_ptr().cast(), N) };
    bytes
}

/// The identifier of this server's data, the same on its standbys.
pub fn system_identifier() -> i64 {
    // SAFETY: read when the server starts.
    unsafe { pg_sys::GetSystemIdentifier() as i64 }
}

/// The major version of the server.
pub fn major_version() -> i32 {
    pg_sys::PG_VERSION_NUM as i32 / 10_000
}

/// The commit of the open transaction waits as the configuration says for everybody.
pub fn commit_as_configured() {
    // SAFETY: the name is that of a setting; the text is copied.
    unsafe {
        let value = pg_sys::GetConfigOptionResetString(c"synchronous_commit".as_ptr());
        if !value.is_null() {
            let (context, source) = (pg_sys::GucContext::PGC_USERSET, pg_sys::GucSource::PGC_S_SESSION);
            let action = pg_sys::GucAction::GUC_ACTION_LOCAL;
            pg_sys::set_config_option(c"synchronous_commit".as_ptr(), value, context, source, action, true, 0, false);
        }
    }
}

/// The process of this session.
pub fn process() -> i32 {
    // SAFETY: set when the process starts.
    unsafe { pg_sys::MyProcPid }
}

/// How deep in subtransactions the session is: 1 outside of any.
pub fn nest_level() -> i32 {
    // SAFETY: reads the state of the transaction.
    unsafe { pg_sys::GetCurrentTransactionNestLevel() }
}

/// Whether an open transaction may be behind a row's xmax. That can be a transaction or a group of those that share a lock,
/// and only the row itself says which; a doubt counts as yes.
pub fn may_be_open(xmax: u32) -> bool {
    if version::is_open(xmax) {
        return true;
    }
    // SAFETY: reads shared state; a group is asked for only within the range of those that may have somebody in them.
    unsafe {
        let (oldest, next): (u32, u32) = (pg_sys::GetOldestMultiXactId().into(), pg_sys::ReadNextMultiXactId().into());
        let age = next.wrapping_sub(xmax);
        let exists = age > 0 && age <= next.wrapping_sub(oldest);
        exists && pg_sys::MultiXactIdIsRunning(xmax.into(), false)
    }
}

/// Waits for a transaction to end, its callbacks included. Takes part in the detection of deadlocks.
pub fn wait_for(transaction: Transaction) {
    // SAFETY: a transaction that has ended, or never was, is not waited for.
    unsafe { pg_sys::VirtualXactLock(version::lock_of(transaction), true) };
}

/// Where this process is woken: the address of its latch, the same in every process.
pub fn latch() -> u64 {
    // SAFETY: the process's own entry; only its address is taken.
    unsafe { (&raw mut (*pg_sys::MyProc).procLatch) as u64 }
}

/// Wakes the process that has this latch. Cannot fail. Where the process is gone, whoever has its place now wakes for
/// nothing.
pub fn set_latch(latch: u64) {
    // SAFETY: an address that `latch` gave, within shared memory that is there as long as the server.
    unsafe { pg_sys::SetLatch(latch as *mut pg_sys::Latch) };
}

/// Sleeps so long, microseconds, or until the process's latch is set; `event` is shown in pg_stat_activity. Raises nothing.
pub fn pause(length: Time, event: u32) {
    // The latch knows no shorter sleep than a millisecond; rounded down, the last part would be spent in circles.
    let milliseconds = length.clamp(0, LONGEST_SLEEP).saturating_add(999) / 1000;
    // SAFETY: waits for the process's own latch, and ends the process with the postmaster; interrupts are left to whoever is
    // next.
    unsafe {
        let events = pg_sys::WL_LATCH_SET | pg_sys::WL_TIMEOUT | pg_sys::WL_EXIT_ON_PM_DEATH;
        pg_sys::WaitLatch(pg_sys::MyLatch, events as i32, milliseconds as _, event);
        pg_sys::ResetLatch(pg_sys::MyLatch);
    }
}

/// Whether this process is ending: a transaction that is aborted now was not rolled back by anybody.
pub fn is_exiting() -> bool {
    // SAFETY: a flag of this process.
    unsafe { pg_sys::proc_exit_inprogress }
}

/// Raises 25006 on a standby and in a READ ONLY transaction. A claim needs no transaction id, so nothing else would.
pub fn prevent_read_only(function: &'static CStr) {
    // SAFETY: both raise an ERROR or do nothing.
    unsafe {
        pg_sys::PreventCommandIfReadOnly(function.as_ptr());
        pg_sys::PreventCommandDuringRecovery(function.as_ptr());
    }
}

/// Whether this server replays another's log.
pub fn on_standby() -> bool {
    // SAFETY: reads shared state.
    unsafe { pg_sys::RecoveryInProgress() }
}

/// The role in whose name the session works: the login role or that of SET ROLE, also inside SECURITY DEFINER.
pub fn caller() -> Option<String> {
    // SAFETY: `noerr` makes an unknown role a null pointer; the name is palloc'd and copied at once.
    unsafe {
        let name = pg_sys::GetUserNameFromId(pg_sys::GetOuterUserId(), true);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy().into_owned())
    }
}

/// Sends a notification when the transaction commits. Equal ones of one transaction are sent once.
pub fn notify(channel: &str, payload: &str) {
    let (Ok(channel), Ok(payload)) = (CString::new(channel), CString::new(payload)) else { return };
    // SAFETY: both strings end in NUL and are copied.
    unsafe { pg_guard_ffi_boundary(|| Async_Notify(channel.as_ptr(), payload.as_ptr())) };
}

/// Listens to a channel from the commit of this transaction on.
pub fn listen(channel: &str) {
    let Ok(channel) = CString::new(channel) else { return };
    // SAFETY: the string ends in NUL and is copied; LISTEN is refused during recovery as the command is.
    unsafe {
        pg_sys::PreventCommandDuringRecovery(c"LISTEN".as_ptr());
        pg_guard_ffi_boundary(|| Async_Listen(channel.as_ptr()));
    }
}

/// Takes the next `count` values of a sequence.
pub fn next_values(sequence: pg_sys::Oid, count: usize) -> Vec<i64> {
    // SAFETY: the sequence exists; rights are checked by the function that is executed in its owner's name.
    (0..count).map(|_| unsafe { pg_guard_ffi_boundary(|| nextval_internal(sequence, false)) }).collect()
}

/// Reads UTF-8 bytes as JSON; `None` where they are none. The answer lives in the current memory context.
pub fn parse_json(text: &str) -> Option<pg_sys::Datum> {
    let text = CString::new(text).ok()?;
    pgrx::PgTryBuilder::new(|| {
        // SAFETY: jsonb_in takes one C string; what it raises on bad input is caught here, before anything was changed.
        unsafe { pgrx::direct_function_call_as_datum(pg_sys::jsonb_in, &[Some(text.as_ptr().into())]) }
    })
    .catch_when(PgSqlErrorCode::ERRCODE_INVALID_TEXT_REPRESENTATION, |_| None)
    .catch_when(PgSqlErrorCode::ERRCODE_UNTRANSLATABLE_CHARACTER, |_| None)
    .catch_when(PgSqlErrorCode::ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, |_| None)
    .catch_when(PgSqlErrorCode::ERRCODE_STATEMENT_TOO_COMPLEX, |_| None)
    .catch_when(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, |_| None)
    .execute()
}

/// An interval in microseconds, a month counted as 30 days; saturates.
pub fn microseconds(interval: &Interval) -> i64 {
    let days = i64::from(interval.months()).saturating_mul(30).saturating_add(i64::from(interval.days()));
    days.saturating_mul(86_400_000_000).saturating_add(interval.micros())
}

/// The longest duration that a setting or a lease may have, microseconds: 100 years of 360 days. Beyond, sums with a time
/// leave the range of timestamps.
pub const LONGEST: i64 = 36_000 * 86_400_000_000;

/// What PostgreSQL's message on a dedupe key that is taken names.
const DEDUPE_INDEX: &str = "job_dedupe_key_idx";

/// Does something that may find a dedupe key taken and turns that into what `caught` makes of the error's detail. The transaction,
/// or the subtransaction around it, must end then.
pub fn catch_duplicate<R>(
    act: impl FnOnce() -> Result<R, Error>,
    caught: impl Fn(Option<String>) -> Error,
) -> Result<R, Error> {
    let caught = AssertUnwindSafe(caught);
    pgrx::PgTryBuilder::new(AssertUnwindSafe(act))
        .catch_when(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, move |cause| {
            use pgrx::pg_sys::panic::CaughtError::{ErrorReport, PostgresError};
            let caught = &caught;
            match &cause {
                PostgresError(report) | ErrorReport(report) if report.message().contains(DEDUPE_INDEX) => {
                    Err(caught.0(report.detail().map(str::to_owned)))
                }
                _ => cause.rethrow(),
            }
        })
        .execute()
}

/// Does something in a subtransaction: undone as a whole where it returns an error or an ERROR passes through.
///
/// The subtransaction must end on every way out. One that stays open would be ended by whoever catches the ERROR further
/// out, in place of its own, and leave its caller with the rights and settings of a SECURITY DEFINER function.
pub fn in_subtransaction<R>(act: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    // SAFETY: here and below, as PL/pgSQL does for a block with an EXCEPTION clause: begin and end are paired on every
    // way out; memory context and resource owner are those of before at the end.
    let (context, owner) = unsafe { (pg_sys::CurrentMemoryContext, pg_sys::CurrentResourceOwner) };
    let restore = || {
        // SAFETY: both outlive the subtransaction.
        unsafe {
            pg_sys::MemoryContextSwitchTo(context);
            pg_sys::CurrentResourceOwner = owner;
        }
    };
    let undo = AssertUnwindSafe(|| {
        restore();
        // SAFETY: it is the innermost subtransaction, because everything begun in it has ended.
        unsafe { pg_sys::RollbackAndReleaseCurrentSubTransaction() };
        restore();
    });
    // SAFETY: see above.
    unsafe {
        pg_sys::BeginInternalSubTransaction(std::ptr::null());
        pg_sys::MemoryContextSwitchTo(context);
    }
    let answer = pgrx::PgTryBuilder::new(AssertUnwindSafe(act))
        .catch_others(|cause| {
            let undo = &undo;
            undo.0();
            cause.rethrow()
        })
        .execute();
    if answer.is_ok() {
        // SAFETY: see above.
        unsafe { pg_sys::ReleaseCurrentSubTransaction() };
        restore();
    } else {
        undo.0();
    }
    answer
}

/// Changes a setting until the settings' nest level ends.
fn set_locally(name: &CStr, value: &CStr) {
    configure(name, value, pg_sys::GucAction::GUC_ACTION_SAVE);
}

/// Changes a setting for the session.
pub fn set(name: &CStr, value: &CStr) {
    configure(name, value, pg_sys::GucAction::GUC_ACTION_SET);
}

fn configure(name: &CStr, value: &CStr, action: pg_sys::GucAction::Type) {
    let (context, source) = (pg_sys::GucContext::PGC_USERSET, pg_sys::GucSource::PGC_S_SESSION);
    // SAFETY: both strings end in NUL and are copied; these settings may be changed by anybody.
    unsafe {
        pg_sys::set_config_option(name.as_ptr(), value.as_ptr(), context, source, action, true, 0, false);
    }
}

/// What a setting of the connection is in effect: 0 where it has no meaning, as keepalives on a Unix-domain socket.
pub fn effective(name: &CStr) -> i32 {
    // SAFETY: the name ends in NUL; a missing setting gives null; the text is palloc'd. What is shown is asked of the socket.
    unsafe {
        let value = pg_sys::GetConfigOptionByName(name.as_ptr(), std::ptr::null_mut(), true);
        if value.is_null() { 0 } else { CStr::from_ptr(value).to_str().ok().and_then(|v| v.parse().ok()).unwrap_or(0) }
    }
}

/// Whether nobody has given a setting a value.
pub fn is_default(name: &CStr) -> bool {
    // SAFETY: the name ends in NUL; a missing setting gives null.
    unsafe {
        let reset = pg_sys::GetConfigOptionResetString(name.as_ptr());
        !reset.is_null() && CStr::from_ptr(reset).to_bytes() == b"0"
    }
}

/// Whether the server is starting and loads this library into its first process.
pub fn preloading() -> bool {
    // SAFETY: set by the process itself around the loading of libraries.
    unsafe { pg_sys::process_shared_preload_libraries_in_progress }
}
