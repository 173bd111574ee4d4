//! Claims against claims, and against everybody who changes rows.

use pgqueuer_model::check;
use pgqueuer_model::claims::Worker;
use pgqueuer_model::fault::Fault;
use pgqueuer_model::protocol::truth::*;
use pgqueuer_model::protocol::{Call, Cast, Protocol};

fn session(number: usize, calls: &[Call], times: u8) -> Cast {
    Cast { worker: Worker::Session(number), calls: calls.to_vec(), times, savepoints: 0, leaves: false }
}

/// Two sessions claim, a third changes rows.
fn against_operator(operator: &[Call], fault: Fault) -> Protocol {
    let cast = vec![session(0, &[Call::Dequeue], 2), session(1, &[Call::Dequeue], 1), session(2, operator, 2)];
    Protocol { cast, jobs: 1, limit: 1, one_key: false, fault }
}

/// Two sessions claim two jobs and end them.
fn against_each_other(fault: Fault) -> Protocol {
    let worker = [Call::Dequeue, Call::Complete, Call::RetryLater];
    let cast = vec![session(0, &worker, 3), session(1, &worker, 2)];
    Protocol { cast, jobs: 2, limit: 2, one_key: false, fault }
}

#[test]
fn a_claim_meets_everybody_who_changes_its_row() {
    let operator = [Call::Replace, Call::Reschedule, Call::Cancel, Call::LockRow];
    check::holds("claim against operator", &against_operator(&operator, Fault::None));
}

#[test]
fn claims_meet_claims() {
    check::holds("claim against claim", &against_each_other(Fault::None));
}

#[test]
fn a_limit_is_counted_with_the_claim() {
    check::holds("limit", &Protocol { limit: 1, ..against_each_other(Fault::None) });
}

#[test]
fn jobs_of_one_key_go_one_by_one() {
    check::holds("key", &Protocol { one_key: true, ..against_each_other(Fault::None) });
}

#[test]
fn looking_before_publishing_runs_a_replaced_payload() {
    check::finds("LookBeforePublish", &against_operator(&[Call::Replace], Fault::LookBeforePublish), HELD_AS_WRITTEN);
}

#[test]
fn asking_only_whether_the_row_is_there_runs_a_deferred_job() {
    check::finds("RowThereIsEnough", &against_operator(&[Call::Reschedule], Fault::RowThereIsEnough), HELD_AS_WRITTEN);
}

#[test]
fn taking_a_locked_row_runs_a_replaced_payload() {
    check::finds("LockedRowTaken", &against_operator(&[Call::Replace], Fault::LockedRowTaken), HELD_AS_WRITTEN);
}

#[test]
fn looking_at_claims_before_locking_the_row_runs_a_replaced_payload() {
    check::finds("ClaimsBeforeRow", &against_operator(&[Call::Replace], Fault::ClaimsBeforeRow), HELD_AS_WRITTEN);
}

#[test]
fn a_limit_that_is_counted_apart_is_exceeded() {
    let model = Protocol { limit: 1, ..against_each_other(Fault::CountedApart) };
    check::finds("CountedApart", &model, WITHIN_LIMIT);
}

#[test]
fn an_error_before_the_note_leaves_a_claim_behind() {
    check::finds("NotedAfterwards", &against_each_other(Fault::NotedAfterwards), NOTHING_LEFT);
}
