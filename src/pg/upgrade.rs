//! A server that runs for pg_upgrade: nobody but pg_upgrade is to act there, and one thing of ours must be helped into the new
//! server.
//!
//! The triggers of the view `pgq.jobs` fire whatever `session_replication_role` says. ALTER TABLE refuses that for views, so the
//! extension writes it into the catalog itself. pg_upgrade brings each object of an extension by the commands of a dump, and
//! for these triggers that is the ALTER TABLE which is refused: pg_upgrade would end there. It is carried out here in the
//! extension's way.
//!
//! The library is loaded in the session that restores, preloaded or not: making a function in C loads it.

use super::version::{self, Command};
use crate::error::{self, Error};
use pgrx::pg_sys;
use pgrx::pg_sys::panic::pgrx_extern_c_guard;
use std::ffi::{CStr, c_char};
use std::sync::OnceLock;

static ALWAYS_FIRE: OnceLock<fn() -> Result<(), Error>> = OnceLock::new();

/// Whether this server runs for pg_upgrade.
pub fn is_running() -> bool {
    // SAFETY: a flag of the server.
    unsafe { pg_sys::IsBinaryUpgrade }
}

/// From now on `always_fire` is called in place of the command that is refused. It may be called more often than needed.
pub fn init(always_fire: fn() -> Result<(), Error>) {
    if ALWAYS_FIRE.set(always_fire).is_ok() {
        // SAFETY: the library is being loaded, and nobody else of ours looks at commands; see `on_command`.
        unsafe { version::over_commands(on_command) };
    }
}

/// Every command of pg_upgrade passes here. PostgreSQL may jump over this frame: nothing in it has a destructor.
unsafe fn on_command(command: Command) {
    // SAFETY: a command as PostgreSQL gave it, which goes on once or is replaced. What replaces it is Rust, with a guard of its
    // own.
    unsafe {
        match ALWAYS_FIRE.get().filter(|_| is_refused(command.statement)) {
            Some(always_fire) => pgrx_extern_c_guard(|| always_fire().unwrap_or_else(|error| error::raise(error))),
            None => command.go_on(),
        }
    }
}

/// Whether this is `ALTER TABLE pgq.jobs ENABLE ALWAYS TRIGGER`.
///
/// # Safety
/// `statement` is the one that PostgreSQL passed to the hook.
unsafe fn is_refused(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: a utility statement has a node, whose tag says what it is; its list is not empty and holds commands.
    unsafe {
        let node = (*statement).utilityStmt;
        if node.is_null() || (*node).type_ != pg_sys::NodeTag::T_AlterTableStmt {
            return false;
        }
        let alter = node.cast::<pg_sys::AlterTableStmt>();
        let (relation, first) = ((*alter).relation, version::nth((*alter).cmds, 0).cast::<pg_sys::AlterTableCmd>());
        (*first).subtype == pg_sys::AlterTableType::AT_EnableAlwaysTrig
            && says((*relation).schemaname, c"pgq")
            && says((*relation).relname, c"jobs")
    }
}

/// # Safety
/// The name ends in NUL, or is null.
unsafe fn says(name: *const c_char, word: &CStr) -> bool {
    // SAFETY: the caller's promise.
    !name.is_null() && unsafe { CStr::from_ptr(name) } == word
}
