//! How full memory is, and whether the database has its worker: what `pgq.health` judges.

use crate::error::Error;
use crate::pg;
use crate::pg::set::{Call, Set};
use crate::shmem::{memory, service};
use pgqueuer_core::claims::{Database, Fill, Relation, WorkerState};
use pgrx::datum::IntoDatum;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

/// One row for each table in memory. None on a standby and where the library is not preloaded.
#[pg_extern(sql = false)]
fn memory_fill(call: Call) -> Result<(), ErrorReport> {
    let mut set = Set::begin(&call, "pgq.memory_fill")?;
    let fill = memory::read(|claims| claims.fill_of_all()).filter(|_| !pg::on_standby());
    for Fill { name, used, room, forgotten } in fill.into_iter().flatten() {
        set.put(&[name.into_datum(), Some(used.into()), Some(room.into()), Some(forgotten.into())]);
    }
    Ok(())
}

/// The state of this database's worker: a word, and its process if it runs. Asks for one where there is none.
#[pg_extern(sql = false)]
fn worker_state(call: Call) -> Result<(), ErrorReport> {
    let mut set = Set::begin(&call, "pgq.worker_state")?;
    if let Some((database, launcher)) = state()? {
        set.put(&[word(&database, launcher).into_datum(), Some(database.pid.into()), Some(database.since.into())]);
    }
    Ok(())
}

fn word(database: &Database, launcher: i32) -> &'static str {
    match database.state {
        WorkerState::Running => "running",
        _ if launcher == 0 => "no launcher",
        _ if database.is_excluded() => "excluded",
        WorkerState::Absent if !database.is_awaited() => "absent",
        WorkerState::Absent | WorkerState::Starting => "starting",
        WorkerState::Resting => "resting",
        WorkerState::Refused => "refused",
    }
}

/// The database, and the launcher's process.
fn state() -> Result<Option<(Database, i32)>, Error> {
    if !memory::is_there() || pg::on_standby() {
        return Ok(None);
    }
    let relation: Relation = memory::relation(pg::relation(c"job")?);
    service::ensure(relation);
    Ok(memory::read(|claims| claims.database(relation).map(|of| (*of, claims.launcher()))).flatten())
}

/// The version of the library that this session has loaded.
#[pg_extern(sql = false)]
fn library_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
