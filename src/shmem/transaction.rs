//! What a transaction has claimed and ended.
//!
//! Each is a note in a list of this process. When the top-level transaction has committed, and all it did is visible,
//! the notes are carried out; when it or a subtransaction aborts, they are undone. The list has room before anything
//! enters shared memory, so nothing is ever claimed that no list knows of.
//!
//! The callbacks are registered once, for the life of the process. After a commit an error would be a PANIC: they
//! allocate nothing, raise nothing, and take no lock but the leaf lock of the claim table.

use super::memory;
use crate::error::{Error, raise};
use crate::pg;
use pgqueuer_core::claims::{Claims, JobKey, Relation};
use pgrx::pg_sys;
use pgrx::prelude::pg_guard;
use std::cell::RefCell;

/// How many notes are carried out under one hold of the lock.
const SLICE: usize = 16;
/// How many slots a sweep looks at under one hold of the lock.
const SWEEP: u32 = 256;

#[derive(Clone, Copy)]
enum Deed {
    Claimed(JobKey, u64),
    Ending(JobKey, u64),
    /// Ends somebody else's claim by removing the job: there is nothing to undo.
    Removing(JobKey, u64),
    /// The jobs of a table are gone (`table` 0: of a database), and with them the claims up to this number. The table
    /// is locked from then on: only this transaction itself can claim new jobs in it.
    Emptied(Relation, u64, Then),
}

/// What becomes of the workers of a table whose jobs are gone.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The table stays: so do they.
    Keep,
    /// The table is gone: nobody can ever name them again.
    Forget,
}

#[derive(Clone, Copy)]
struct Note {
    deed: Deed,
    /// The subtransaction, as deep as it is nested.
    level: i32,
}

thread_local! {
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Registers the callbacks. Processes that the server starts later inherit them.
pub fn init() {
    // SAFETY: the server is starting; the functions live as long as the library, which is never unloaded.
    unsafe {
        pg_sys::RegisterXactCallback(Some(on_transaction), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(on_subtransaction), std::ptr::null_mut());
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

/// Notes that this transaction ends a claim. [`reserve`] comes first.
pub fn ending(job: JobKey, number: u64) {
    note(Deed::Ending(job, number));
}

/// Notes that this transaction removes a job that somebody holds. [`reserve`] comes first.
pub fn removing(job: JobKey, number: u64) {
    note(Deed::Removing(job, number));
}

/// Notes that the jobs of a table are gone. [`reserve`] comes first.
pub fn emptied(relation: Relation, workers: Then) {
    let last = memory::read(|claims| claims.boot.claims).unwrap_or(0);
    note(Deed::Emptied(relation, last, workers));
}

/// Takes back a claim that this transaction has just made.
pub fn unclaim(job: JobKey, number: u64) {
    memory::change(|claims| claims.drop_claim(&job, number));
    strike(|deed| matches!(deed, Deed::Claimed(j, n) if *j == job && *n == number));
}

/// Takes back the end of a claim: its row was not what it must be.
pub fn unend(job: JobKey, number: u64) {
    memory::change(|claims| claims.forget_end(&job, number));
    strike(|deed| matches!(deed, Deed::Ending(j, n) if *j == job && *n == number));
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
                notes.chunks(SLICE).for_each(carry_out);
                notes.clear();
            });
        }
        pg_sys::XactEvent::XACT_EVENT_ABORT => {
            with_notes(|notes| undo(notes, 0));
        }
        pg_sys::XactEvent::XACT_EVENT_PRE_PREPARE if with_notes(|notes| notes.is_empty()) == Some(false) => {
            raise(Error::Prepare);
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
            notes.iter_mut().filter(|note| note.level >= level).for_each(|note| note.level = level - 1);
        } else {
            undo(notes, level);
        }
    });
}

fn carry_out(notes: &[Note]) {
    memory::change(|claims| {
        for note in notes {
            match note.deed {
                Deed::Claimed(job, number) => claims.keep(&job, number),
                Deed::Ending(job, number) | Deed::Removing(job, number) => claims.end(&job, number),
                Deed::Emptied(..) => {}
            }
        }
    });
    for note in notes {
        if let Deed::Emptied(relation, last, workers) = note.deed {
            sweep(|claims, slot| claims.end_some_in(relation, last, slot, SWEEP));
            if workers == Then::Forget {
                sweep(|claims, slot| claims.forget_some_in(relation, slot, SWEEP));
            }
        }
    }
}

/// Goes through a table slice by slice: `step` returns the slot to go on from.
fn sweep(step: impl Fn(&mut Claims<'_>, u32) -> Option<u32>) {
    let mut from = Some(0);
    while let Some(slot) = from {
        from = memory::change(|claims| step(claims, slot)).flatten();
    }
}

/// Undoes the notes of a level and those below it, latest first, and strikes them.
fn undo(notes: &mut Vec<Note>, level: i32) {
    for note in notes.iter().rev().filter(|note| note.level >= level) {
        memory::change(|claims| match note.deed {
            Deed::Claimed(job, number) => claims.drop_claim(&job, number),
            Deed::Ending(job, number) => claims.forget_end(&job, number),
            Deed::Removing(..) | Deed::Emptied(..) => {}
        });
    }
    notes.retain(|note| note.level < level);
}
