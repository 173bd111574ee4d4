//! DISCARD ALL gives the session's claims back, as it does with advisory locks: a connection pool that hands the
//! connection to somebody else says so by it.

use super::session;
use pgrx::pg_sys;
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

// Called as it is, not through pgrx: see `on_command`.
unsafe extern "C-unwind" {
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const c_char,
        read_only: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        receiver: *mut pg_sys::DestReceiver,
        completion: *mut pg_sys::QueryCompletion,
    );
}

/// Every utility statement of every database passes here, so its ERROR must pass as it is, with position, context and
/// constraint name. A guard of pgrx would catch it and raise a new one without them. PostgreSQL may jump over this frame:
/// nothing in it has a destructor.
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
    // SAFETY: passes on what PostgreSQL passed, to the hook that was there before or to where it would have gone.
    unsafe {
        let discards = discards_all(statement);
        let next = PREVIOUS.unwrap_or(standard_ProcessUtility);
        next(statement, text, read_only, context, parameters, environment, receiver, completion);
        // Only now: it fails inside a transaction block, and then nothing is given back. Raises nothing.
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
