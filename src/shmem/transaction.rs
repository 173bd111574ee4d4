//! What a transaction has claimed, ended and enqueued.
//!
//! Each is a note in a list of this process. When the top-level transaction has committed, and all it did is visible,
//! the notes are carried out; when it or a subtransaction aborts, they are undone. The list has room before anything
//! enters shared memory, so nothing is ever claimed that no list knows of.
//!
//! The callbacks are registered once, for the life of the process. After a commit an error would be a PANIC: they
//! allocate nothing, raise nothing, and take no lock but the leaf lock of the claim table.

use super::memory::{self, SWEEP, sweep};
use super::note::{Deed, Note};
use super::{command, session};
use crate::error::{Error, raise};
use crate::pg::version::callback;
use crate::{guc, pg};
use pgqueuer_core::claims::{Claims, JobKey, Outcome, QueueKey, Relation};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;
use std::cell::RefCell;
use std::collections::HashSet;

pub use super::note::{Arrival, Then};

/// How many notes are carried out under one hold of the lock: each wakes at most one session and one worker.
const SLICE: usize = 16;
/// For how many notes a session keeps memory between transactions.
const KEPT: usize = 1024;

thread_local! {
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Registers the callbacks. Processes that the server starts later inherit them.
pub fn init() {
    // SAFETY: the server is starting; the functions live as long as the library, which is never unloaded.
    unsafe {
        pg_sys::RegisterXactCallback(callback!(on_transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(callback!(on_subtransaction), std::ptr::null_mut());
    }
}

/// Makes room for so many notes, so that those that follow cannot fail.
///
/// # Errors
/// [`Error::Broken`] where memory is out; nothing has happened then.
pub fn reserve(count: usize) -> Result<(), Error> {
    let reserved = with_notes(|notes| notes.try_reserve(count).is_ok());
    if reserved == Some(true) {
        Ok(())
    } else {
        Err(Error::Broken("no memory for the notes of a transaction".to_owned()))
    }
}

/// Notes a claim of this transaction. [`reserve`] comes first.
pub fn claimed(job: JobKey, number: u64) {
    note(Deed::Claimed(job, number));
}

/// Notes that this transaction ends a claim in this way. [`reserve`] comes first.
pub fn ending(job: JobKey, number: u64, outcome: Outcome) {
    note(Deed::Ending(job, number, outcome));
}

/// The claim whose end was noted last ends in another way.
pub fn ends_as(number: u64, outcome: Outcome) {
    with_notes(|notes| {
        if let Some(Note { deed: Deed::Ending(_, of, as_noted), .. }) = notes.last_mut()
            && *of == number
        {
            *as_noted = outcome;
        }
    });
}

/// Notes that this transaction gives a claim back: its job can be claimed as before. [`reserve`] comes first.
pub fn freeing(job: JobKey, number: u64) {
    note(Deed::Freeing(job, number));
}

/// The claims of these numbers, whose ends were noted, are only given back: their rows stay as they are.
pub fn only_freeing(numbers: &HashSet<u64>) {
    with_notes(|notes| {
        for note in notes.iter_mut() {
            if let Deed::Ending(job, number, _) = note.deed
                && numbers.contains(&number)
            {
                note.deed = Deed::Freeing(job, number);
            }
        }
    });
}

/// Notes that this transaction removes a job that somebody holds. [`reserve`] comes first.
pub fn removing(job: JobKey, number: u64) {
    note(Deed::Removing(job, number));
}

/// Notes that this transaction removes a job that nobody holds. [`reserve`] comes first.
pub fn ended(job: JobKey) {
    note(Deed::Ended(job));
}

/// Notes that attempts or jobs of an entrypoint have ended. [`reserve`] comes first.
pub fn counted(queue: QueueKey, outcome: Outcome, jobs: u64) {
    let level = pg::nest_level();
    let merged = with_notes(|notes| match notes.last_mut() {
        Some(Note { deed: Deed::Counted(q, o, count), level: of }) if *q == queue && *o == outcome && *of == level => {
            *count += jobs;
            true
        }
        _ => false,
    });
    if merged != Some(true) {
        note(Deed::Counted(queue, outcome, jobs));
    }
}

/// Notes that jobs can be claimed when this transaction has committed. [`reserve`] comes first.
pub fn arrived(arrival: Arrival) {
    let level = pg::nest_level();
    let merged = with_notes(|notes| {
        // A burst of one entrypoint is one note.
        let Some(Note { deed: Deed::Arrived(last), level: of }) = notes.last_mut() else { return false };
        *of == level && last.merge(&arrival)
    });
    if merged != Some(true) {
        note(Deed::Arrived(arrival));
    }
}

/// Notes that the first job of an ordering key ends. [`reserve`] comes first.
pub fn key_freed(queue: QueueKey) {
    note(Deed::KeyFreed(queue));
}

/// Notes that the jobs of a table are gone. [`reserve`] comes first.
pub fn emptied(relation: Relation, workers: Then) {
    let last = memory::read(|claims| claims.boot.claims).unwrap_or(0);
    note(Deed::Emptied(relation, last, workers));
}

/// Notes that anything may have happened to the jobs of a table. [`reserve`] comes first.
pub fn stirred(relation: Relation) {
    let noted = |note: &Note| matches!(note.deed, Deed::Stirred(of) if of == relation);
    if with_notes(|notes| notes.last().is_some_and(noted)) != Some(true) {
        note(Deed::Stirred(relation));
    }
}

/// Notes that schedules were changed. [`reserve`] comes first.
pub fn rescheduled(relation: Relation) {
    note(Deed::Rescheduled(relation));
}

/// Takes back a claim that this transaction has just made. `place` is the row's priority and due, if it is there.
pub fn unclaim(job: JobKey, number: u64, place: Option<(i32, i64)>) {
    memory::change(|claims| claims.put_back(&job, number, place));
    strike(|deed| matches!(deed, Deed::Claimed(j, n) if *j == job && *n == number));
}

/// Takes back the end of a claim: its row was not what it must be.
pub fn unend(job: JobKey, number: u64) {
    memory::change(|claims| claims.forget_end(&job, number));
    strike(|deed| matches!(deed, Deed::Ending(j, n, _) if *j == job && *n == number));
}

fn note(deed: Deed) {
    let level = pg::nest_level();
    with_notes(|notes| notes.push(Note { deed, level }));
}

fn strike(which: impl Fn(&Deed) -> bool) {
    with_notes(|notes| {
        if let Some(index) = notes.iter().rposition(|note| which(&note.deed)) {
            notes.remove(index);
        }
    });
}

/// `None` only where the list is in use further up the stack or the process ends: neither happens, and if it did,
/// doing nothing is the answer that cannot fail.
fn with_notes<R>(act: impl FnOnce(&mut Vec<Note>) -> R) -> Option<R> {
    NOTES.try_with(|notes| notes.try_borrow_mut().ok().map(|mut notes| act(&mut notes))).ok().flatten()
}

#[pg_guard]
unsafe extern "C-unwind" fn on_transaction(event: pg_sys::XactEvent::Type, _argument: *mut std::ffi::c_void) {
    match event {
        pg_sys::XactEvent::XACT_EVENT_COMMIT => {
            with_notes(|notes| {
                if !notes.is_empty() {
                    let now = pg::now();
                    notes.chunks(SLICE).for_each(|notes| carry_out(notes, now));
                    forget_all(notes);
                }
            });
            // Last: a database that was dropped is forgotten before workers may enter it again.
            command::ended();
        }
        pg_sys::XactEvent::XACT_EVENT_ABORT => {
            command::ended();
            session::settings_rolled_back();
            with_notes(|notes| undo(notes, 0));
        }
        pg_sys::XactEvent::XACT_EVENT_PRE_PREPARE
            if with_notes(|notes| notes.iter().any(Note::needs_callback)) == Some(true) =>
        {
            raise(Error::Prepare);
        }
        // COMMIT PREPARED tells of its jobs: see `command`.
        pg_sys::XactEvent::XACT_EVENT_PREPARE => {
            command::ended();
            with_notes(Vec::clear);
        }
        _ => {}
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_subtransaction(
    event: pg_sys::SubXactEvent::Type,
    _subtransaction: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _argument: *mut std::ffi::c_void,
) {
    let ending = pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB;
    if event != ending && event != pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        return;
    }
    with_notes(|notes| {
        if notes.is_empty() {
            return;
        }
        let level = pg::nest_level();
        if event == ending {
            hand_up(notes, level);
        } else {
            undo(notes, level);
        }
    });
}

fn carry_out(notes: &[Note], now: i64) {
    let receipt_after = guc::receipt_after();
    memory::change(|claims| {
        for note in notes {
            match note.deed {
                Deed::Claimed(job, number) => claims.keep(&job, number, receipt_after),
                Deed::Freeing(job, number) => claims.free(&job, number),
                Deed::Ending(job, number, outcome) => {
                    if let Some(claim) = claims.end(&job, number) {
                        claims.count_end(job.relation, &claim, outcome, now);
                    }
                    claims.job_ended(job.relation, job.id);
                }
                Deed::Removing(job, number) => {
                    claims.end(&job, number);
                    claims.job_ended(job.relation, job.id);
                }
                Deed::Counted(queue, outcome, jobs) => claims.count_ended(&queue, outcome, jobs),
                Deed::Ended(job) => claims.job_ended(job.relation, job.id),
                Deed::Arrived(arrival) => arrive(claims, &arrival, now),
                Deed::KeyFreed(queue) => claims.key_is_free(&queue),
                Deed::Rescheduled(relation) => claims.schedules_changed(relation),
                Deed::Emptied(..) | Deed::Stirred(_) => {}
            }
        }
    });
    for note in notes {
        match note.deed {
            Deed::Emptied(relation, last, workers) => {
                sweep(|claims, slot| claims.end_some_in(relation, last, slot, SWEEP));
                if workers == Then::Forget {
                    sweep(|claims, slot| claims.forget_some_in(relation, slot, SWEEP));
                    sweep(|claims, slot| claims.forget_some_tallies(relation, slot, SWEEP));
                    memory::change(|claims| claims.table_gone(relation));
                    if relation.table == 0 {
                        memory::change(|claims| claims.forget_database(relation));
                    }
                }
                stir(relation);
            }
            Deed::Stirred(relation) => {
                memory::change(|claims| claims.is_used(relation));
                stir(relation);
            }
            _ => {}
        }
    }
}

fn arrive(claims: &mut Claims<'_>, arrival: &Arrival, now: i64) {
    if arrival.enqueued > 0 {
        claims.count_enqueued(&arrival.queue, arrival.enqueued);
    }
    claims.lower_all(&arrival.queue, arrival.due);
    if arrival.due > now {
        claims.falls_due(arrival.queue.relation, arrival.due);
        return;
    }
    if arrival.last > now {
        // Some can run and some fall due later; which is the next of these, the worker has to look up.
        claims.falls_due(arrival.queue.relation, now);
    }
    claims.wake(&arrival.queue, arrival.jobs);
    if arrival.notify {
        claims.notify(&arrival.queue);
    }
}

/// Anything may have happened to the jobs of a table (`table` 0: of a database), and to schedules: everybody looks anew.
pub fn stir(relation: Relation) {
    sweep(|claims, slot| claims.forget_some_heads(relation, slot, SWEEP));
    notify_all(relation);
    memory::change(|claims| {
        claims.falls_due(relation, pg::now());
        claims.schedules_changed(relation);
        claims.wake_all(relation);
    });
}

/// Everybody who listens to a channel of a table (`table` 0: of a database) is told.
pub fn notify_all(relation: Relation) {
    sweep(|claims, slot| claims.notify_some(relation, slot, SWEEP));
}

/// Undoes the notes of a level and those below it, latest first, and strikes them.
fn undo(notes: &mut Vec<Note>, level: i32) {
    if notes.is_empty() {
        return;
    }
    let (now, delay, exiting) = (pg::now(), guc::rollback_delay(), pg::is_exiting());
    for note in notes.iter().rev().filter(|note| note.level >= level) {
        match note.deed {
            // A session that ends in the middle has lost its attempt, as one that ends between two transactions.
            Deed::Claimed(job, number) if exiting => memory::change(|claims| claims.lose_claim(&job, number)),
            Deed::Claimed(job, number) => memory::change(|claims| claims.roll_back(&job, number, delay, now)),
            Deed::Ending(job, number, _) | Deed::Freeing(job, number) => {
                memory::change(|claims| claims.forget_end(&job, number))
            }
            _ => None,
        };
    }
    // Levels never fall along the list.
    match notes.iter().position(|note| note.level >= level) {
        Some(0) => forget_all(notes),
        Some(first) => notes.truncate(first),
        None => {}
    }
}

/// A subtransaction has committed: its notes belong to the one around it. Levels never fall along the list, so they are at
/// its end. A loop that enqueues in subtransactions of its own leaves one note.
fn hand_up(notes: &mut Vec<Note>, level: i32) {
    notes.iter_mut().rev().take_while(|note| note.level >= level).for_each(|note| note.level = level - 1);
    while let [.., before, last] = notes.as_mut_slice() {
        let (Deed::Arrived(into), Deed::Arrived(from)) = (&mut before.deed, last.deed) else { break };
        if before.level != last.level || !into.merge(&from) {
            break;
        }
        notes.pop();
    }
}

/// Empties the list, and keeps no more memory than most transactions need.
fn forget_all(notes: &mut Vec<Note>) {
    notes.clear();
    if notes.capacity() > KEPT {
        *notes = Vec::new();
    }
}
