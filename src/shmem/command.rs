//! Commands that touch the queue without calling it.
//!
//! - DISCARD ALL gives the session's claims back, as it does with advisory locks: a connection pool that hands the
//!   connection to somebody else says so by it.
//! - COMMIT PREPARED makes jobs visible without a callback in the transaction that made them.
//! - DROP DATABASE and its kin need the database for themselves: its worker leaves first.
//! - CREATE and ALTER DATABASE change which databases are served.

use super::{memory, session, transaction};
use crate::pg;
use crate::pg::upgrade;
use crate::pg::version::{self, Command};
use pgqueuer_core::claims::Relation;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::c_char;

/// Registers the hook, but for pg_upgrade: there is no worker then, and no claim.
pub fn init() {
    if upgrade::is_running() {
        return;
    }
    // SAFETY: the server is starting; see `on_command`.
    unsafe { version::over_commands(on_command) };
}

// Called as it is, not through pgrx: see `on_command`.
unsafe extern "C-unwind" {
    fn get_database_oid(name: *const c_char, missing_ok: bool) -> pg_sys::Oid;
    fn defGetString(option: *mut pg_sys::DefElem) -> *mut c_char;
    fn GetUserId() -> pg_sys::Oid;
    fn ProcessInterrupts();
}

/// Every utility statement of every database passes here, so its ERROR must pass as it is, with position, context and
/// constraint name. A guard of pgrx would catch it and raise a new one without them. PostgreSQL may jump over this frame:
/// nothing in it has a destructor.
unsafe fn on_command(command: Command) {
    // SAFETY: a command as PostgreSQL gave it, which goes on once.
    unsafe {
        let meaning = meaning(command.statement);
        match meaning {
            Meaning::NeedsDatabase(name) => {
                CHANGES.set(true);
                ask_worker_out(name);
            }
            Meaning::ChangesDatabase => CHANGES.set(true),
            Meaning::DiscardsAll | Meaning::CommitsPrepared | Meaning::Nothing => {}
        }
        command.go_on();
        // Only now: the command may fail, and then nothing has happened. Raises nothing.
        match meaning {
            Meaning::DiscardsAll => session::give_back(),
            Meaning::CommitsPrepared => transaction::stir(Relation { database: pg::my_database(), table: 0 }),
            Meaning::NeedsDatabase(_) | Meaning::ChangesDatabase | Meaning::Nothing => {}
        }
    }
}

thread_local! {
    /// The database that this session's command needs for itself.
    static BANNED_FROM: Cell<Option<Relation>> = const { Cell::new(None) };
    /// The command may have changed which databases there are, and to which one can connect.
    static CHANGES: Cell<bool> = const { Cell::new(false) };
}

/// The command has ended, one way or the other, with its transaction. Cannot fail.
pub fn ended() {
    if let Ok(Some(relation)) = BANNED_FROM.try_with(Cell::take) {
        memory::change(|claims| claims.lift_ban(relation));
    }
    if CHANGES.try_with(Cell::take) == Ok(true) {
        memory::change(|claims| claims.databases_changed());
    }
}

/// What a command means to the queue. Plain words and a pointer: nothing to be dropped.
#[derive(Clone, Copy)]
enum Meaning {
    Nothing,
    DiscardsAll,
    CommitsPrepared,
    /// The database of this name.
    NeedsDatabase(*const c_char),
    /// Whether one can connect to a database, and whether it is a template.
    ChangesDatabase,
}

/// # Safety
/// `statement` is the one that PostgreSQL passed to the hook.
unsafe fn meaning(statement: *mut pg_sys::PlannedStmt) -> Meaning {
    // SAFETY: a utility statement has a node, whose tag says what it is; its strings end in NUL and live as long.
    unsafe {
        let node = (*statement).utilityStmt;
        if node.is_null() {
            return Meaning::Nothing;
        }
        match (*node).type_ {
            pg_sys::NodeTag::T_DiscardStmt
                if (*node.cast::<pg_sys::DiscardStmt>()).target == pg_sys::DiscardMode::DISCARD_ALL =>
            {
                Meaning::DiscardsAll
            }
            pg_sys::NodeTag::T_TransactionStmt
                if (*node.cast::<pg_sys::TransactionStmt>()).kind
                    == pg_sys::TransactionStmtKind::TRANS_STMT_COMMIT_PREPARED =>
            {
                Meaning::CommitsPrepared
            }
            pg_sys::NodeTag::T_DropdbStmt => Meaning::NeedsDatabase((*node.cast::<pg_sys::DropdbStmt>()).dbname),
            pg_sys::NodeTag::T_RenameStmt
                if (*node.cast::<pg_sys::RenameStmt>()).renameType == pg_sys::ObjectType::OBJECT_DATABASE =>
            {
                Meaning::NeedsDatabase((*node.cast::<pg_sys::RenameStmt>()).subname)
            }
            pg_sys::NodeTag::T_AlterDatabaseStmt => {
                let alter = node.cast::<pg_sys::AlterDatabaseStmt>();
                if option((*alter).options, c"tablespace").is_null() {
                    Meaning::ChangesDatabase
                } else {
                    Meaning::NeedsDatabase((*alter).dbname)
                }
            }
            pg_sys::NodeTag::T_CreatedbStmt => {
                let template = option((*node.cast::<pg_sys::CreatedbStmt>()).options, c"template");
                Meaning::NeedsDatabase(if template.is_null() { c"template1".as_ptr() } else { template })
            }
            _ => Meaning::Nothing,
        }
    }
}

/// The text of an option of a command; null where it is not given.
///
/// # Safety
/// `options` is a list of such options, or null.
unsafe fn option(options: *mut pg_sys::List, name: &std::ffi::CStr) -> *const c_char {
    // SAFETY: the caller's promise; the list has `length` elements.
    unsafe {
        let count = if options.is_null() { 0 } else { (*options).length };
        for place in 0..count {
            let option = version::nth(options, place).cast::<pg_sys::DefElem>();
            if std::ffi::CStr::from_ptr((*option).defname) == name && !(*option).arg.is_null() {
                return defGetString(option);
            }
        }
        std::ptr::null()
    }
}

/// How long no worker may come back, should the session die in the middle of the command, microseconds.
const BANNED: i64 = 60_000_000;
/// How often one looks whether the worker has left, microseconds,
const STEP: i64 = 10_000;
/// for how many of these steps,
const STEPS: usize = 500;
/// and after how many of them it is told to end.
const PATIENCE: usize = 30;

/// Asks the worker of a database to leave, and waits until it has.
///
/// # Safety
/// The name ends in NUL.
unsafe fn ask_worker_out(name: *const c_char) {
    // SAFETY: the caller's promise; an unknown name gives InvalidOid. The command itself looks the name up again.
    let database = unsafe { get_database_oid(name, true) };
    // Somebody who may not command it must not keep its worker out.
    // SAFETY: commands run in transactions.
    if database == pg_sys::InvalidOid || !memory::is_there() || unsafe { !version::owns(GetUserId(), database) } {
        return;
    }
    ended();
    CHANGES.set(true);
    let relation = Relation { database: database.into(), table: 0 };
    let gone = |pid: i32| pid == 0;
    let until = pg::now().saturating_add(BANNED);
    BANNED_FROM.set(Some(relation));
    let mut left = memory::change(|claims| claims.ban_worker(relation, until, pg::now())).is_none_or(gone);
    for step in 0..STEPS {
        if left {
            break;
        }
        if step == PATIENCE {
            // In the middle of something, or waits for a standby.
            let pid = memory::read(|claims| claims.database(relation).map_or(0, |of| of.pid)).unwrap_or(0);
            if pid != 0 {
                // SAFETY: tells a worker of ours to end, as pg_terminate_backend does.
                unsafe { libc::kill(pid, libc::SIGTERM) };
            }
        }
        pg::pause(STEP, pg_sys::PG_WAIT_EXTENSION);
        // SAFETY: an ERROR may jump over this frame; its abort lifts the ban.
        unsafe {
            if pg_sys::InterruptPending != 0 {
                ProcessInterrupts();
            }
        }
        left = memory::read(|claims| claims.database(relation).is_none_or(|of| gone(of.pid))) != Some(false);
    }
}
