//! `pgq.attach`: a session says that it belongs to a named worker. When it ends, and no new one attaches within
//! `pgqueuer.attach_grace`, the worker is taken to be gone, however long its lease.

use super::{can_claim, receipt};
use crate::error::Error;
use crate::shmem::{memory, service, session};
use crate::{guc, pg};
use pgqueuer_core::claims::WorkerKey;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn attach(worker: Option<Uuid>) -> Result<(), ErrorReport> {
    let Some(uuid) = worker else {
        let hint = "Pass the uuid that the worker dequeues with.";
        return Err(Error::argument("worker", "not be NULL", None, hint).into());
    };
    can_claim("pgq.attach", c"pgq.attach()")?;
    let relation = memory::relation(pg::relation(c"job")?);
    receipt::load(relation)?;
    service::ensure(relation);
    let worker = WorkerKey::named(relation, uuid.as_bytes());
    if session::is_attached(&worker) {
        return Ok(super::beat(worker, pg::now(), None)?);
    }
    let known = memory::change(|claims| claims.attach(worker, pg::now(), guc::default_lease()));
    if known == Some(true) {
        session::attach(worker);
        return Ok(());
    }
    Err(Error::TooManyWorkers { room: memory::read(|claims| claims.room_for_named()).unwrap_or(0) }.into())
}
