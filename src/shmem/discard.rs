//! DISCARD ALL gives the session's claims back, as it does with advisory locks: a connection pool that hands the
//! connection to somebody else says so by it.

use super::session;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::prelude::pg_guard;
use std::ffi::c_char;

static mut PREVIOUS: pg_sys::ProcessUtility_hook_type = None;

/// Registers the hook.
pub fn init() {
    // SAFETY: the server is starting; a hook that was there is called by ours.
    unsafe {
        PREVIOUS = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = Some(on_command);
    }
}

#[pg_guard]
#[allow(clippy::too_many_arguments)]
unsafe extern "C-unwind" fn on_command(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: passes on what PostgreSQL passed, to the hook that was there before (inside a boundary that turns its ERROR
    // into a panic) or to where it would have gone.
    unsafe {
        let discards = discards_all(statement);
        match PREVIOUS {
            Some(previous) => pg_guard_ffi_boundary(|| {
                previous(statement, text, read_only, context, parameters, environment, receiver, completion);
            }),
            None => pg_sys::standard_ProcessUtility(
                statement,
                text,
                read_only,
                context,
                parameters,
                environment,
                receiver,
                completion,
            ),
        }
        // Only now: it fails inside a transaction block, and then nothing is given back.
        if discards {
            session::give_back();
        }
    }
}

/// # Safety
/// `statement` is the one that PostgreSQL passed to the hook.
unsafe fn discards_all(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: a utility statement has a node, whose tag says what it is.
    unsafe {
        let node = (*statement).utilityStmt;
        !node.is_null()
            && (*node).type_ == pg_sys::NodeTag::T_DiscardStmt
            && (*node.cast::<pg_sys::DiscardStmt>()).target == pg_sys::DiscardMode::DISCARD_ALL
    }
}
