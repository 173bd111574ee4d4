//! `CALL pgq.wait_for`: returns when some jobs have ended.

use super::{Looked, timeout, wait};
use crate::job::check;
use crate::lease::can_claim;
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::procedure::Procedure;
use crate::pg::set::Call;
use crate::shmem::{memory, service};
use crate::statement;
use pgqueuer_core::claims::Wanted;
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn wait_for(ids: Option<Raw>, timeout: Option<Interval>, _done: Option<bool>, call: Call) -> Result<Raw, ErrorReport> {
    let mut ids = check::ids("ids", ids)?;
    let timeout = self::timeout(timeout)?;
    let procedure = Procedure::begin(&call, "pgq.wait_for")?;
    can_claim("pgq.wait_for", c"pgq.wait_for()")?;
    service::ensure(memory::relation(pg::relation(c"job")?));
    let all = ids.clone();
    let done = wait(&procedure, Wanted::Ends(&all), timeout, || {
        // Those that have ended need not be looked for again.
        ids = statement::NOT_ENDED.bigs(&[ids.clone().into()])?;
        Ok(if ids.is_empty() { Looked::Found } else { Looked::Again(None) })
    })?;
    Ok(Raw(procedure.end(done)))
}
