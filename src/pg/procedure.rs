//! A procedure that commits in its middle, so that it can sleep without a snapshot, and the sleep itself.

use super::set::Call;
use super::spi::Session;
use super::{Time, now, relation, version};
use crate::error::Error;
use pgrx::{check_for_interrupts, pg_sys};
use std::ffi::CStr;

/// How long before a timeout a wait ends by itself, microseconds.
const BEFORE_TIMEOUT: Time = 100_000;

/// The procedure under way.
pub struct Procedure {
    session: Session,
    /// The shape of its answer, in memory that outlives its transactions: somebody may drop it while it waits.
    shape: pg_sys::TupleDesc,
}

impl Procedure {
    /// Begins. It stands alone: in a transaction block, a function or a pipeline it could not commit, or would commit what is
    /// not its own. Servers before 12.12, 13.8 and 14.5 do not tell a pipeline.
    ///
    /// # Errors
    /// [`Error::InTransaction`] where it does not.
    pub fn begin(call: &Call, name: &'static str) -> Result<Self, Error> {
        // SAFETY: the call is under way; CALL passes a CallContext, everything else another node or none.
        unsafe {
            let context = (*call.pointer()).context;
            let alone = !context.is_null()
                && (*context).type_ == pg_sys::NodeTag::T_CallContext
                && !(*context.cast::<pg_sys::CallContext>()).atomic
                && pg_sys::MyXactFlags as u32 & pg_sys::XACT_FLAGS_PIPELINING == 0;
            if !alone {
                return Err(Error::InTransaction { procedure: name });
            }
        }
        // SAFETY: see above. The memory of the call is that of its portal, which lives until it has answered.
        let shape = unsafe {
            let mut shape = std::ptr::null_mut();
            pg_sys::get_call_result_type(call.pointer(), std::ptr::null_mut(), &raw mut shape);
            if shape.is_null() || (*shape).natts != 1 {
                return Err(Error::Broken("the procedure has not one INOUT argument".to_owned()));
            }
            pg_sys::BlessTupleDesc(pg_sys::CreateTupleDescCopy(shape))
        };
        Ok(Self { session: Session::begin()?, shape })
    }

    /// Commits, and begins a new transaction, which has no snapshot.
    pub fn commit(&self) {
        self.session.commit();
    }

    /// Ends, with the answer as the procedure's one INOUT argument.
    pub fn end(self, answer: bool) -> pg_sys::Datum {
        self.session.end();
        let (mut values, mut nulls) = ([pg_sys::Datum::from(answer)], [false]);
        // SAFETY: the shape has one attribute, as values and nulls have; the row lives in the caller's memory.
        unsafe {
            let row = pg_sys::heap_form_tuple(self.shape, values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::heap_copy_tuple_as_datum(row, self.shape)
        }
    }
}

/// How long a wait of a length may last, microseconds, so that no timeout of the session ends it.
pub fn at_most(length: Time) -> Time {
    let left = version::timeouts().map(|end| end.saturating_sub(now()).max(0));
    // Of a short one half is left, or a loop of waits would turn in circles.
    let before = left.map(|left| left - BEFORE_TIMEOUT.min(left / 2));
    before.chain([length]).min().unwrap_or(length)
}

/// Sleeps until this process's latch is set or so long, microseconds, and answers to cancel and shutdown.
pub fn sleep(length: Time) {
    super::pause(length, version::wait_event());
    check_for_interrupts!();
}

/// Does something in the name of the owner of a table, with a fixed search_path, as a SECURITY DEFINER function would.
/// A procedure that is one could not commit.
///
/// # Errors
/// Those of `act`, and [`Error::Broken`] where the table does not exist.
pub fn as_owner_of<R>(table: &'static CStr, act: impl FnOnce() -> Result<R, Error>) -> Result<R, Error> {
    let before = User::current();
    // SAFETY: settings are put back here, or by the abort that an ERROR leads to; so is the user.
    unsafe {
        let level = pg_sys::NewGUCNestLevel();
        become_owner_of(table)?;
        super::set_locally(c"search_path", c"pg_catalog, pg_temp");
        let answer = act();
        pg_sys::AtEOXact_GUC(true, level);
        before.restore();
        answer
    }
}

/// From now on the transaction works in the name of the owner of a table: to the end, so that what is deferred to its commit
/// does, too. Whoever calls this puts the [`User`] back after that; an abort does it by itself.
///
/// # Errors
/// [`Error::Broken`] where the table does not exist.
pub fn become_owner_of(table: &'static CStr) -> Result<(), Error> {
    let table = relation(table)?;
    // SAFETY: within a transaction. The relation is closed at once.
    unsafe {
        let open = pg_sys::RelationIdGetRelation(table);
        if open.is_null() {
            return Err(Error::Broken("a table has gone".to_owned()));
        }
        let owner = (*(*open).rd_rel).relowner;
        pg_sys::RelationClose(open);
        let context = User::current().context | pg_sys::SECURITY_LOCAL_USERID_CHANGE as i32;
        pg_sys::SetUserIdAndSecContext(owner, context);
    }
    Ok(())
}

/// In whose name this process works.
#[derive(Debug, Clone, Copy)]
pub struct User {
    role: pg_sys::Oid,
    context: i32,
}

impl User {
    /// As it is now.
    pub fn current() -> Self {
        let mut user = Self { role: pg_sys::InvalidOid, context: 0 };
        // SAFETY: writes to the places that it is given.
        unsafe { pg_sys::GetUserIdAndSecContext(&raw mut user.role, &raw mut user.context) };
        user
    }

    /// As it was.
    pub fn restore(self) {
        // SAFETY: a role that this process has had.
        unsafe { pg_sys::SetUserIdAndSecContext(self.role, self.context) };
    }
}
