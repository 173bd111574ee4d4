//! No job is forgotten behind the cursor.

use pgqueuer_model::check;
use pgqueuer_model::cursor::{Cursor, FOUND};
use pgqueuer_model::fault::Fault;

/// Two sessions claim, end and give back what producers enqueue.
fn cursor(fault: Fault) -> Cursor {
    Cursor { claims: [2, 2], deletes: 0, locks: 0, first_of_key: 0, fault }
}

/// A user locks a row.
fn locks(fault: Fault) -> Cursor {
    Cursor { claims: [2, 1], locks: 1, ..cursor(fault) }
}

/// An operator deletes a job; of the two with one key the first by id is due later.
fn deletes(fault: Fault) -> Cursor {
    Cursor { claims: [2, 1], deletes: 1, first_of_key: 1, ..cursor(fault) }
}

#[test]
fn every_job_is_found_from_the_cursor() {
    check::holds("cursor", &cursor(Fault::None));
}

#[test]
fn a_job_is_found_whose_row_was_locked() {
    check::holds("cursor, locks", &locks(Fault::None));
}

#[test]
fn a_job_is_found_when_the_first_of_its_key_is_deleted() {
    check::holds("cursor, deletes", &deletes(Fault::None));
}

#[test]
fn a_cursor_that_callbacks_lower_and_the_refiller_overwrites_forgets_a_job() {
    check::finds("CursorMinRace", &cursor(Fault::CursorMinRace), FOUND);
}

#[test]
fn a_snapshot_before_the_take_out_forgets_a_late_commit() {
    check::finds("SnapshotBeforeTakeOut", &cursor(Fault::SnapshotBeforeTakeOut), FOUND);
}

#[test]
fn what_is_taken_out_and_not_lowered_at_once_is_lost() {
    check::finds("LoweredAtTheEnd", &cursor(Fault::LoweredAtTheEnd), FOUND);
    check::finds("GapInTakeOut", &cursor(Fault::GapInTakeOut), FOUND);
}

#[test]
fn a_cursor_that_passes_what_was_not_taken_forgets_it() {
    check::finds("PassesNotTaken", &cursor(Fault::PassesNotTaken), FOUND);
}

#[test]
fn lowering_before_the_claim_goes_forgets_the_job() {
    check::finds("LoweredBeforeClaimGoes", &cursor(Fault::LoweredBeforeClaimGoes), FOUND);
}

#[test]
fn a_dropped_claim_that_lowers_nothing_forgets_the_job() {
    check::finds("DropLowersNothing", &locks(Fault::DropLowersNothing), FOUND);
}

#[test]
fn the_end_of_a_key_s_first_job_that_lowers_nothing_forgets_the_second() {
    check::finds("KeyLowersNothing", &cursor(Fault::KeyLowersNothing), FOUND);
}

#[test]
fn the_deletion_of_a_key_s_first_job_that_lowers_nothing_forgets_the_second() {
    check::finds("DeleteLowersNothing", &deletes(Fault::DeleteLowersNothing), FOUND);
}

#[test]
fn two_refillers_at_one_time_forget_a_job() {
    check::finds("TwoRefillers", &cursor(Fault::TwoRefillers), FOUND);
}
