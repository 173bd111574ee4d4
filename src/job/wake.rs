//! Jobs can be claimed: whoever waits for them is told when the transaction commits.
//!
//! Where the library is preloaded this is a note, which the commit callback carries out: it marks shared memory and sets a
//! latch, and the database's worker tells those who LISTEN. Else, and where the setting asks for it, the transaction
//! itself notifies.

use crate::error::Error;
use crate::guc::{self, Notify};
use crate::pg::{self, Time};
use crate::shmem::transaction::{self, Arrival};
use crate::shmem::{memory, service};
use pgqueuer_core::channel::channel;
use pgqueuer_core::claims::{Name, Outcome, QueueKey, Relation};

/// When jobs may run.
#[derive(Clone, Copy)]
pub struct Starts {
    first: Time,
    last: Time,
}

impl Starts {
    /// All at one time.
    pub fn at(due: Time) -> Self {
        Self { first: due, last: due }
    }

    /// Another one.
    pub fn add(&mut self, due: Time) {
        (self.first, self.last) = (self.first.min(due), self.last.max(due));
    }
}

/// `jobs` jobs of this entrypoint can be claimed from `due` on, once the transaction has committed.
///
/// # Errors
/// [`Error::Broken`] where memory is out.
pub fn wake(relation: Relation, entrypoint: &str, due: Time, jobs: usize) -> Result<(), Error> {
    enqueued(relation, entrypoint, Starts::at(due), jobs, 0)
}

/// The same, where `new` of them were enqueued by this transaction: those are counted.
///
/// # Errors
/// [`Error::Broken`] where memory is out.
pub fn enqueued(relation: Relation, entrypoint: &str, due: Starts, jobs: usize, new: usize) -> Result<(), Error> {
    if guc::notify() == Notify::transactional || (!memory::is_there() && guc::notify() != Notify::off) {
        pg::notify(&channel(entrypoint), "");
    }
    if !memory::is_there() {
        return Ok(());
    }
    service::ensure(relation);
    let queue = QueueKey { relation, name: Name::of(&[entrypoint]) };
    let notify = guc::notify() == Notify::coalesced;
    know(&queue, entrypoint, notify);
    transaction::reserve(1)?;
    let Starts { first, last } = due;
    transaction::arrived(Arrival { queue, due: first, last, jobs: jobs as u64, enqueued: new as u64, notify });
    Ok(())
}

/// Sees that memory has what the commit callback must know of an entrypoint: its name, and its channel's if the database's
/// worker is to notify.
fn know(queue: &QueueKey, entrypoint: &str, notify: bool) {
    if memory::read(|claims| claims.knows_entrypoint(queue, notify)) == Some(false) {
        let name = channel(entrypoint);
        memory::change(|claims| {
            claims.know_entrypoint(queue, entrypoint.as_bytes());
            if notify {
                claims.know_channel(queue, name.as_bytes());
            }
        });
    }
}

/// Somebody asks for jobs of an entrypoint, and may listen for them, too.
pub fn asked(queue: &QueueKey, entrypoint: &str) {
    let now = pg::now();
    if memory::change(|claims| claims.ask(queue, now)) == Some(false) {
        let name = channel(entrypoint);
        memory::change(|claims| {
            claims.know_channel(queue, name.as_bytes());
            claims.know_asked(queue, entrypoint.as_bytes(), now);
        });
    }
}

/// Jobs of an entrypoint that nobody held have ended, or some that count without their claims.
///
/// # Errors
/// [`Error::Broken`] where memory is out.
pub fn ended(relation: Relation, entrypoint: &str, outcome: Outcome, jobs: usize) -> Result<(), Error> {
    if !memory::is_there() || jobs == 0 {
        return Ok(());
    }
    let queue = QueueKey { relation, name: Name::of(&[entrypoint]) };
    know(&queue, entrypoint, false);
    transaction::reserve(1)?;
    transaction::counted(queue, outcome, jobs as u64);
    Ok(())
}

/// The first job of an ordering key ends, and nobody held it: the next can be claimed once the transaction has committed.
///
/// # Errors
/// [`Error::Broken`] where memory is out.
pub fn key_is_free(relation: Relation, entrypoint: &str) -> Result<(), Error> {
    transaction::reserve(1)?;
    transaction::key_freed(QueueKey { relation, name: Name::of(&[entrypoint]) });
    Ok(())
}
