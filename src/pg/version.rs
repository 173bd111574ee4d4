//! What differs between the versions of PostgreSQL, and between the two of pgrx that serve them: 12 has one of its own. Nothing
//! else asks which version it is built for.

use pgqueuer_core::claims::Transaction;
use pgrx::pg_sys;
use std::ffi::{CStr, c_char, c_int};

#[cfg(feature = "pg12")]
pgrx::pg_module_magic!();
#[cfg(not(feature = "pg12"))]
pgrx::pg_module_magic!(name, version);

/// A callback, as the place wants it where it is kept. The two conventions call alike: they differ in who may unwind, and
/// whoever calls these is C.
macro_rules! callback {
    ($function:ident) => {{
        #[cfg(not(feature = "pg12"))]
        {
            Some($function)
        }
        #[cfg(feature = "pg12")]
        {
            Some(std::mem::transmute($function as *const ()))
        }
    }};
}
pub(crate) use callback;

/// A type of which functions declared in `sql/schema` take or return values. The word is never written anywhere.
macro_rules! declared_by_hand {
    ($type:ty, $word:literal) => {
        #[cfg(not(feature = "pg12"))]
        pgrx::impl_sql_translatable!($type, $word);
        #[cfg(feature = "pg12")]
        const _: () = {
            use pgrx::pgrx_sql_entity_graph::metadata::*;
            // SAFETY: no declaration is made of it.
            unsafe impl SqlTranslatable for $type {
                fn argument_sql() -> Result<SqlMapping, ArgumentError> {
                    Ok(SqlMapping::literal($word))
                }

                fn return_sql() -> Result<Returns, ReturnsError> {
                    Ok(Returns::One(SqlMapping::literal($word)))
                }
            }
        };
    };
}
pub(crate) use declared_by_hand;

/// Registers settings. Names and texts end in NUL.
#[cfg(not(feature = "pg12"))]
pub use pgrx::guc::GucRegistry as Registry;
/// What is kept of a setting that is a text.
#[cfg(not(feature = "pg12"))]
pub type Text = std::ffi::CString;
#[cfg(feature = "pg12")]
pub use of_12::{Registry, Text};

/// pgrx of 12 takes texts as Rust has them.
#[cfg(feature = "pg12")]
mod of_12 {
    use pgrx::guc::{GucContext, GucEnum, GucFlags, GucRegistry, GucSetting};
    use std::ffi::CStr;

    pub type Text = &'static CStr;

    fn text(text: &'static CStr) -> &'static str {
        text.to_str().unwrap_or_default()
    }

    /// As `GucRegistry` of the other pgrx.
    pub struct Registry;

    macro_rules! define {
        ($($define:ident $([$kind:ident])? ($type:ty $(, $bound:ident)*);)+) => {
            impl Registry {
                $(pub fn $define$(<$kind: GucEnum<$kind> + Copy>)?(
                    name: Text,
                    short: Text,
                    long: Text,
                    setting: &GucSetting<$type>,
                    $($bound: i32,)*
                    context: GucContext,
                    flags: GucFlags,
                ) {
                    GucRegistry::$define(text(name), text(short), text(long), setting, $($bound,)* context, flags);
                })+
            }
        };
    }
    define! {
        define_int_guc(i32, least, most);
        define_bool_guc(bool);
        define_string_guc(Option<Text>);
        define_enum_guc[T](T);
    }
}

/// A command, as the hook over all of them is given it.
#[derive(Clone, Copy)]
pub struct Command {
    pub statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    #[cfg(not(any(feature = "pg12", feature = "pg13")))]
    read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut Completion,
}

#[cfg(feature = "pg12")]
type Completion = c_char;
#[cfg(not(feature = "pg12"))]
type Completion = pg_sys::QueryCompletion;

// Called as it is, not through pgrx: an ERROR must pass as it is.
unsafe extern "C-unwind" {
    fn standard_ProcessUtility(
        statement: *mut pg_sys::PlannedStmt,
        text: *const c_char,
        #[cfg(not(any(feature = "pg12", feature = "pg13")))] read_only: bool,
        context: pg_sys::ProcessUtilityContext::Type,
        parameters: pg_sys::ParamListInfo,
        environment: *mut pg_sys::QueryEnvironment,
        receiver: *mut pg_sys::DestReceiver,
        completion: *mut Completion,
    );
}

static mut PREVIOUS_COMMAND: pg_sys::ProcessUtility_hook_type = None;
static mut AROUND: unsafe fn(Command) = Command::go_on;

/// From now on `around` is called for every command of every session, and calls [`Command::go_on`].
///
/// # Safety
/// The server is starting. PostgreSQL may jump over the frame of `around`: nothing in it has a destructor.
pub unsafe fn over_commands(around: unsafe fn(Command)) {
    // SAFETY: the caller's promise; a hook that was there is called by ours.
    unsafe {
        AROUND = around;
        PREVIOUS_COMMAND = pg_sys::ProcessUtility_hook;
        pg_sys::ProcessUtility_hook = callback!(on_command);
    }
}

#[allow(clippy::too_many_arguments)]
unsafe extern "C-unwind" fn on_command(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    #[cfg(not(any(feature = "pg12", feature = "pg13")))] read_only: bool,
    context: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut Completion,
) {
    // SAFETY: passes on what PostgreSQL passed.
    unsafe {
        AROUND(Command {
            statement,
            text,
            #[cfg(not(any(feature = "pg12", feature = "pg13")))]
            read_only,
            context,
            parameters,
            environment,
            receiver,
            completion,
        });
    }
}

impl Command {
    /// Carries it out.
    ///
    /// # Safety
    /// As PostgreSQL gave it, once.
    pub unsafe fn go_on(self) {
        let Self { statement, text, context, parameters, environment, receiver, completion, .. } = self;
        // SAFETY: the hook that was there before, or where it would have gone.
        unsafe {
            #[cfg(any(feature = "pg12", feature = "pg13"))]
            match PREVIOUS_COMMAND {
                Some(next) => next(statement, text, context, parameters, environment, receiver, completion),
                None => {
                    standard_ProcessUtility(statement, text, context, parameters, environment, receiver, completion);
                }
            }
            #[cfg(not(any(feature = "pg12", feature = "pg13")))]
            PREVIOUS_COMMAND.unwrap_or(standard_ProcessUtility)(
                statement,
                text,
                self.read_only,
                context,
                parameters,
                environment,
                receiver,
                completion,
            );
        }
    }
}

/// Whether a role may command a database. Called as it is.
///
/// # Safety
/// Inside a transaction.
pub unsafe fn owns(role: pg_sys::Oid, database: pg_sys::Oid) -> bool {
    unsafe extern "C-unwind" {
        #[cfg(any(feature = "pg12", feature = "pg13", feature = "pg14", feature = "pg15"))]
        fn pg_database_ownercheck(database: pg_sys::Oid, role: pg_sys::Oid) -> bool;
        #[cfg(not(any(feature = "pg12", feature = "pg13", feature = "pg14", feature = "pg15")))]
        fn object_ownercheck(class: pg_sys::Oid, object: pg_sys::Oid, role: pg_sys::Oid) -> bool;
    }
    // SAFETY: looks into the catalog.
    unsafe {
        #[cfg(any(feature = "pg12", feature = "pg13", feature = "pg14", feature = "pg15"))]
        return pg_database_ownercheck(database, role);
        #[cfg(not(any(feature = "pg12", feature = "pg13", feature = "pg14", feature = "pg15")))]
        object_ownercheck(pg_sys::DatabaseRelationId, database, role)
    }
}

/// Has `request` called where libraries may ask for shared memory.
///
/// # Safety
/// The server is starting.
pub unsafe fn request_memory(request: fn()) {
    #[cfg(any(feature = "pg12", feature = "pg13", feature = "pg14"))]
    request();
    #[cfg(not(any(feature = "pg12", feature = "pg13", feature = "pg14")))]
    // SAFETY: the caller's promise; a hook that was there is called by ours.
    unsafe {
        use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
        static mut PREVIOUS: pg_sys::shmem_request_hook_type = None;
        static mut REQUEST: fn() = || {};
        #[pgrx::pg_guard]
        unsafe extern "C-unwind" fn on_request() {
            // SAFETY: the hook that was there before, called as PostgreSQL would have.
            unsafe {
                if let Some(previous) = PREVIOUS {
                    pg_guard_ffi_boundary(|| previous());
                }
                REQUEST();
            }
        }
        REQUEST = request;
        PREVIOUS = pg_sys::shmem_request_hook;
        pg_sys::shmem_request_hook = Some(on_request);
    }
}

/// This transaction, as others can wait for it.
pub fn transaction() -> Transaction {
    // SAFETY: the process's own entry, which nobody else writes.
    unsafe {
        let me = pg_sys::MyProc;
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        return Transaction { place: (*me).vxid.procNumber, number: (*me).vxid.lxid };
        #[cfg(not(any(feature = "pg17", feature = "pg18")))]
        Transaction { place: (*me).backendId, number: (*me).lxid }
    }
}

/// The lock that a transaction holds as long as it is open.
pub fn lock_of(transaction: Transaction) -> pg_sys::VirtualTransactionId {
    pg_sys::VirtualTransactionId {
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        procNumber: transaction.place,
        #[cfg(not(any(feature = "pg17", feature = "pg18")))]
        backendId: transaction.place,
        localTransactionId: transaction.number,
    }
}

/// Whether a transaction, by the number that rows have, is open.
pub fn is_open(number: u32) -> bool {
    #[cfg(feature = "pg12")]
    let id = number;
    #[cfg(not(feature = "pg12"))]
    let id = pg_sys::TransactionId::from_inner(number);
    // SAFETY: reads shared state.
    unsafe { pg_sys::TransactionIdIsInProgress(id) }
}

/// Gives back a plan that `SPI_plan_get_cached_plan` lent.
///
/// # Safety
/// `plan` is that plan, of a kept statement, and the resource owner is still the same.
pub unsafe fn release_cached_plan(plan: *mut pg_sys::CachedPlan) {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(any(feature = "pg12", feature = "pg13"))]
        pg_sys::ReleaseCachedPlan(plan, true);
        #[cfg(not(any(feature = "pg12", feature = "pg13")))]
        pg_sys::ReleaseCachedPlan(plan, pg_sys::CurrentResourceOwner);
    }
}

/// Answers to a signal from now on.
///
/// # Safety
/// `handler` does only what a handler of signals may.
pub unsafe fn handle_signal(signal: i32, handler: unsafe extern "C-unwind" fn(c_int)) {
    // SAFETY: the caller's promise.
    unsafe {
        #[cfg(feature = "pg18")]
        pg_sys::pqsignal_be(signal, Some(handler));
        #[cfg(not(feature = "pg18"))]
        pg_sys::pqsignal(signal, callback!(handler));
    }
}

unsafe extern "C-unwind" {
    /// The server's own handler of SIGHUP, as it is: a wrapper of pgrx is no function that C can call.
    #[cfg_attr(feature = "pg12", link_name = "PostgresSigHupHandler")]
    pub fn SignalHandlerForConfigReload(signal: c_int);
    // In no header that pgrx reads. `utils/timeout.h` declares them the same in all that have them.
    #[cfg(not(feature = "pg12"))]
    fn get_timeout_active(id: c_int) -> bool;
    fn get_timeout_finish_time(id: c_int) -> pg_sys::TimestampTz;
}

/// Numbers of `enum TimeoutId` in `utils/timeout.h`: STATEMENT_TIMEOUT, and TRANSACTION_TIMEOUT, which is there from 17 on.
const TIMEOUTS: &[c_int] = if cfg!(any(feature = "pg17", feature = "pg18")) { &[3, 8] } else { &[3] };

/// When timeouts of this session will end its statement or transaction.
pub fn timeouts() -> impl Iterator<Item = pg_sys::TimestampTz> {
    // SAFETY: reads the process's own timers.
    let is_active = |id: &c_int| unsafe {
        #[cfg(feature = "pg12")]
        return *id == 3 && pg_sys::StatementTimeout > 0;
        #[cfg(not(feature = "pg12"))]
        get_timeout_active(*id)
    };
    // SAFETY: as above.
    TIMEOUTS.iter().filter(move |id| is_active(id)).map(|id| unsafe { get_timeout_finish_time(*id) })
}

/// Wakes the listeners that the transaction just committed has told something. Later versions do that with the commit; before, only
/// a session did it, between two commands.
///
/// # Safety
/// Outside of a transaction.
pub unsafe fn signal_listeners() {
    #[cfg(any(feature = "pg12", feature = "pg13", feature = "pg14"))]
    // SAFETY: the caller's promise.
    unsafe {
        unsafe extern "C-unwind" {
            fn ProcessCompletedNotifies();
        }
        pgrx::pg_sys::ffi::pg_guard_ffi_boundary(|| ProcessCompletedNotifies());
    }
}

/// Settings of a background worker that not every version has.
pub const SERVICE: &[(&CStr, &CStr)] = &[
    // PostgreSQL arms it for every process, and ends the process with it.
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    (c"transaction_timeout", c"0"),
];

/// What a wait is called in pg_stat_activity: a name of its own where the version has such names.
pub fn wait_event() -> u32 {
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    {
        static EVENT: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        // SAFETY: the name ends in NUL and is copied.
        return *EVENT.get_or_init(|| unsafe { pg_sys::WaitEventExtensionNew(c"PgqueuerWait".as_ptr()) });
    }
    #[cfg(not(any(feature = "pg17", feature = "pg18")))]
    pg_sys::PG_WAIT_EXTENSION
}

/// An element of a list that has so many.
///
/// # Safety
/// A list of pointers, longer than `place`.
pub unsafe fn nth(list: *mut pg_sys::List, place: i32) -> *mut std::ffi::c_void {
    // SAFETY: the caller's promise. An array from 13 on, linked cells before.
    unsafe {
        #[cfg(feature = "pg12")]
        return (*(0..place).fold((*list).head, |cell, _| (*cell).next)).data.ptr_value;
        #[cfg(not(feature = "pg12"))]
        (*(*list).elements.add(place as usize)).ptr_value
    }
}
