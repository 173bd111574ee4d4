//! `pgq.attach`: a session says that it belongs to a named worker. When it ends, and no new one attaches within
//! `pgqueuer.attach_grace`, the worker is taken to be gone, however long its lease.

use super::{beat, named, too_many};
use crate::shmem::{memory, session};
use crate::{guc, pg};
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn attach(worker: Option<Uuid>) -> Result<(), ErrorReport> {
    let worker = named("pgq.attach", c"pgq.attach()", worker)?;
    if session::is_attached(&worker) {
        return Ok(beat(worker, pg::now(), None)?);
    }
    if memory::change(|claims| claims.attach(worker, pg::now(), guc::default_lease())) != Some(true) {
        return Err(too_many().into());
    }
    session::attach(worker);
    Ok(())
}
