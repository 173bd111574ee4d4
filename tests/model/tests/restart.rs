//! What a crash leaves standing, and what it does not.

use pgqueuer_model::check;
use pgqueuer_model::fault::Fault;
use pgqueuer_model::restart::{BELIEVED, KEPT, Restart};

fn restart(fault: Fault) -> Restart {
    Restart { claims: 2, crashes: 2, writes: 3, sweeps: 1, fault }
}

#[test]
fn a_long_claim_outlives_the_server_and_nothing_else_does() {
    check::holds("restart", &restart(Fault::None));
}

#[test]
fn handing_out_before_the_receipts_are_loaded_gives_a_held_job_away() {
    check::finds("LoadedInOwnTime", &restart(Fault::LoadedInOwnTime), KEPT);
}

#[test]
fn an_operator_who_does_not_load_the_receipts_deletes_a_held_job() {
    check::finds("OperatorDoesNotLoad", &restart(Fault::OperatorDoesNotLoad), KEPT);
}

#[test]
fn a_database_worker_that_does_not_load_the_receipts_strikes_them_out() {
    check::finds("WriterDoesNotLoad", &restart(Fault::WriterDoesNotLoad), KEPT);
}

#[test]
fn a_receipt_that_is_not_compared_with_the_row_revives_an_ended_attempt() {
    check::finds("ReceiptNotCompared", &restart(Fault::ReceiptNotCompared), BELIEVED);
}

#[test]
fn a_release_that_leaves_its_receipt_is_undone_by_a_crash() {
    check::finds("ReleaseLeavesReceipt", &restart(Fault::ReleaseLeavesReceipt), BELIEVED);
}

#[test]
fn an_open_claim_that_is_written_down_outlives_its_rollback() {
    check::finds("OpenClaimWritten", &restart(Fault::OpenClaimWritten), BELIEVED);
}

#[test]
fn a_claim_that_is_marked_after_its_receipt_is_written_is_released_without_it() {
    check::finds("MarkedAfterWriting", &restart(Fault::MarkedAfterWriting), BELIEVED);
}

#[test]
fn a_loaded_claim_that_is_not_marked_is_released_without_its_receipt() {
    check::finds("LoadedUnmarked", &restart(Fault::LoadedUnmarked), BELIEVED);
}
