//! `CALL pgq.wait_for` and `CALL pgq.wait_for_any`: return when some jobs have ended.

use super::{Looked, timeout, wait};
use crate::error::Error;
use crate::job::check;
use crate::lease::can_claim;
use crate::pg::argument::Raw;
use crate::pg::procedure::Procedure;
use crate::pg::set::Call;
use crate::pg::{self, Time};
use crate::shmem::{memory, service};
use crate::statement;
use pgqueuer_core::claims::Wanted;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::ffi::CStr;

/// Which of the jobs must have ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    All,
    Any,
}

#[pg_extern(sql = false)]
fn wait_for(ids: Option<Raw>, timeout: Option<Interval>, _done: Option<bool>, call: Call) -> Result<Raw, ErrorReport> {
    let (name, signature) = ("pgq.wait_for", c"pgq.wait_for()");
    Ok(wait_until(Until::All, check::ids("ids", ids)?, self::timeout(timeout)?, &call, name, signature)?)
}

#[pg_extern(sql = false)]
fn wait_for_any(
    ids: Option<Raw>,
    timeout: Option<Interval>,
    _done: Option<bool>,
    call: Call,
) -> Result<Raw, ErrorReport> {
    let (name, signature) = ("pgq.wait_for_any", c"pgq.wait_for_any()");
    Ok(wait_until(Until::Any, check::ids("ids", ids)?, self::timeout(timeout)?, &call, name, signature)?)
}

fn wait_until(
    until: Until,
    mut ids: Vec<i64>,
    timeout: Time,
    call: &Call,
    name: &'static str,
    signature: &'static CStr,
) -> Result<Raw, Error> {
    let procedure = Procedure::begin(call, name)?;
    can_claim(name, signature)?;
    service::ensure(memory::relation(pg::relation(c"job")?));
    ids.sort_unstable();
    ids.dedup();
    let all = ids.clone();
    let done = wait(&procedure, Wanted::Ends(&all), timeout, || {
        // Those that have ended need not be looked for again.
        ids = statement::NOT_ENDED.bigs(&[ids.clone().into()])?;
        let found = ids.is_empty() || (until == Until::Any && ids.len() < all.len());
        Ok(if found { Looked::Found } else { Looked::Again(None) })
    })?;
    Ok(Raw(procedure.end(done)))
}
