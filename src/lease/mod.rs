//! Who a worker is, and what keeps its claims: a session its life, a named worker its heartbeats. Memory only; nothing
//! here writes a row.

mod attach;
mod heartbeat;
pub mod receipt;

use crate::error::Error;
use crate::pg::{self, Time};
use crate::shmem::{memory, service, session};
use pgqueuer_core::claims::{Relation, Worker, WorkerKey, WorkerKind};
use pgrx::Uuid;
use pgrx::datum::Interval;

/// Who calls: the jobs table of this database, the worker, the session.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The jobs table.
    pub relation: Relation,
    /// The worker: this session, or the one that was named.
    pub worker: WorkerKey,
    /// The session, whoever the worker is.
    pub session: u64,
}

impl Caller {
    /// The caller of `function`, with the worker it names.
    ///
    /// Raises 25006 on a standby and in a READ ONLY transaction.
    ///
    /// # Errors
    /// [`Error::NotPreloaded`] where there is no memory for claims.
    pub fn of(function: &'static str, command: &'static std::ffi::CStr, worker: Option<Uuid>) -> Result<Self, Error> {
        can_claim(function, command)?;
        let relation = memory::relation(pg::lock_relation(c"job")?);
        prepare(relation)?;
        let worker = match worker {
            Some(uuid) => WorkerKey::named(relation, uuid.as_bytes()),
            None => session::worker(relation),
        };
        Ok(Self { relation, worker, session: session::number() })
    }

    /// Whether the worker is the session itself.
    pub fn is_session(&self) -> bool {
        self.worker.kind == WorkerKind::Session
    }

    /// The worker's uuid.
    pub fn uuid(&self) -> Uuid {
        pg::argument::uuid(self.worker.uuid())
    }
}

/// Sees that there is memory for claims and that this is where jobs are claimed.
///
/// Raises 25006 on a standby and in a READ ONLY transaction.
///
/// # Errors
/// [`Error::NotPreloaded`].
pub fn can_claim(function: &'static str, command: &'static std::ffi::CStr) -> Result<(), Error> {
    if !memory::is_there() {
        return Err(Error::NotPreloaded { function });
    }
    pg::prevent_read_only(command);
    Ok(())
}

/// Sees that memory knows who holds what, also as the first call of a new life of the server, and that the database has its
/// worker.
fn prepare(relation: Relation) -> Result<(), Error> {
    receipt::load(relation)?;
    service::ensure(relation);
    Ok(())
}

/// The named worker that `function` is called for. Takes no lock on the table: a beat must not wait for who rewrites it.
///
/// Raises 25006 on a standby and in a READ ONLY transaction.
///
/// # Errors
/// [`Error::Argument`] where none is named; [`Error::NotPreloaded`].
fn named(function: &'static str, command: &'static std::ffi::CStr, worker: Option<Uuid>) -> Result<WorkerKey, Error> {
    let Some(uuid) = worker else {
        return Err(Error::argument("worker", "not be NULL", None, "Pass the uuid that the worker dequeues with."));
    };
    can_claim(function, command)?;
    let relation = memory::relation(pg::relation(c"job")?);
    prepare(relation)?;
    Ok(WorkerKey::named(relation, uuid.as_bytes()))
}

/// The worker as it is remembered when it makes its first claim.
pub fn as_worker(named: bool, now: Time, lease: Option<i64>) -> Worker {
    if named { Worker::new(now, lease.unwrap_or_else(crate::guc::default_lease), 0) } else { session::as_worker(now) }
}

/// Notes a sign of life of a named worker.
///
/// # Errors
/// [`Error::TooManyWorkers`] where it is a new one and there is no room.
pub fn beat(worker: WorkerKey, now: Time, lease: Option<i64>) -> Result<(), Error> {
    let known = memory::change(|claims| claims.beat(worker, now, lease, crate::guc::default_lease()));
    if known == Some(true) { Ok(()) } else { Err(too_many()) }
}

/// There is no room for another named worker.
fn too_many() -> Error {
    Error::TooManyWorkers { room: memory::read(|claims| claims.room_for_named()).unwrap_or(0) }
}

/// A lease in microseconds.
///
/// # Errors
/// [`Error::Argument`] where it is not positive or longer than 100 years.
pub fn checked(lease: Option<Interval>) -> Result<Option<i64>, Error> {
    let lease = lease.map(|lease| pg::microseconds(&lease));
    if lease.is_some_and(|lease| !(1..=pg::LONGEST).contains(&lease)) {
        let hint = "Allowed are intervals such as '30 s', up to '100 years'.";
        return Err(Error::argument("lease", "be longer than 0, and at most 100 years", None, hint));
    }
    Ok(lease)
}
