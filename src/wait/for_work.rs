//! `CALL pgq.wait`: returns as soon as a job of some entrypoints can be claimed.

use super::{Looked, timeout, wait};
use crate::job::check;
use crate::job::ready::{self, Look};
use crate::lease::{Caller, can_claim};
use crate::pg;
use crate::pg::argument::Raw;
use crate::pg::procedure::Procedure;
use crate::pg::set::Call;
use crate::shmem::memory;
use pgqueuer_core::claims::{Name, QueueKey, Relation, Wanted};
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn wait_for_work(
    entrypoints: Option<Raw>,
    timeout: Option<Interval>,
    _ready: Option<bool>,
    call: Call,
) -> Result<Raw, ErrorReport> {
    let names = check::entrypoints(entrypoints)?;
    let timeout = self::timeout(timeout)?;
    let procedure = Procedure::begin(&call, "pgq.wait")?;
    can_claim("pgq.wait", c"pgq.wait()")?;
    let wanted: Vec<Name> = names.iter().map(|name| Name::of(&[name])).collect();
    let mut armed = false;
    let ready = wait(&procedure, Wanted::Jobs(&wanted), timeout, || {
        let caller = Caller::of("pgq.wait", c"pgq.wait()", None)?;
        Ok(match ready::look(caller, &names)? {
            Look::Ready(queue) => {
                memory::change(|claims| claims.chase(&queue, pg::now()));
                Looked::Found
            }
            Look::Nothing(again) => {
                armed = again.is_some();
                Looked::Again(again)
            }
        })
    })?;
    if armed && !ready {
        look_in_turn(memory::relation(pg::relation(c"job")?), &wanted);
    }
    Ok(Raw(procedure.end(ready)))
}

/// This session was to look again at a time and leaves before: somebody else who waits takes that over.
fn look_in_turn(relation: Relation, names: &[Name]) {
    for name in names {
        memory::change(|claims| claims.wake(&QueueKey { relation, name: *name }, 1));
    }
}
