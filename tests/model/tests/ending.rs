//! Ends: who may, when they take effect, what a rollback and the session's end undo.

use pgqueuer_model::check;
use pgqueuer_model::claims::Worker;
use pgqueuer_model::fault::Fault;
use pgqueuer_model::protocol::truth::*;
use pgqueuer_model::protocol::{Call, Cast, Protocol};

const W: Worker = Worker::Named(0);

fn one_job(cast: Vec<Cast>, fault: Fault) -> Protocol {
    Protocol { cast, jobs: 1, limit: 1, one_key: false, fault }
}

fn cast(worker: Worker, calls: &[Call], times: u8) -> Cast {
    Cast { worker, calls: calls.to_vec(), times, savepoints: 0, leaves: false }
}

/// A named worker in two sessions, and somebody else.
fn one_worker_twice(fault: Fault) -> Protocol {
    let first = cast(W, &[Call::Dequeue, Call::Complete, Call::Retry], 2);
    let second = cast(W, &[Call::Complete, Call::Release, Call::Retry], 2);
    let other = cast(Worker::Session(2), &[Call::Dequeue, Call::Complete], 2);
    one_job(vec![first, second, other], fault)
}

/// A session claims and ends in subtransactions; another claims and cancels.
fn in_subtransactions(fault: Fault) -> Protocol {
    let calls = [Call::Dequeue, Call::Complete, Call::Retry, Call::Release, Call::Cancel, Call::Replace, Call::LockRow];
    let nested = Cast { savepoints: 2, ..cast(Worker::Session(0), &calls, 3) };
    one_job(vec![nested, cast(Worker::Session(1), &[Call::Dequeue, Call::Cancel], 2)], fault)
}

/// A session that may end at any step, a named worker whose lease may run out, and the database worker.
fn leases(fault: Fault) -> Protocol {
    let session = Cast { leaves: true, ..cast(Worker::Session(0), &[Call::Dequeue, Call::Complete, Call::Release], 2) };
    let named = cast(W, &[Call::Dequeue, Call::Complete, Call::Release], 3);
    one_job(vec![session, named, cast(Worker::Session(2), &[Call::Sweep], 2)], fault)
}

/// A session that may end at any step, and another; nobody but the session's own end frees its claims.
fn exits(fault: Fault) -> Protocol {
    let calls = [Call::Dequeue, Call::Complete, Call::Release];
    let session = Cast { leaves: true, savepoints: 1, ..cast(Worker::Session(0), &calls, 3) };
    one_job(vec![session, cast(Worker::Session(1), &calls, 2)], fault)
}

/// All of them.
fn together(fault: Fault) -> Protocol {
    let session = [Call::Dequeue, Call::Complete, Call::Release];
    let session = Cast { leaves: true, ..cast(Worker::Session(0), &session, 2) };
    let named = cast(W, &[Call::Dequeue, Call::Retry], 2);
    let operator = cast(Worker::Session(2), &[Call::Cancel, Call::Replace], 1);
    one_job(vec![session, named, operator, cast(Worker::Session(3), &[Call::Sweep], 1)], fault)
}

#[test]
fn all_of_them_together_keep_every_rule() {
    check::holds("together", &together(Fault::None));
}

#[test]
fn of_two_ends_of_one_claim_one_takes_effect() {
    check::holds("one worker in two sessions", &one_worker_twice(Fault::None));
}

#[test]
fn a_rollback_undoes_what_was_claimed_and_ended_since() {
    check::holds("subtransactions", &in_subtransactions(Fault::None));
}

#[test]
fn a_lost_lease_and_a_lost_session_give_the_job_to_one_other() {
    check::holds("leases", &leases(Fault::None));
}

#[test]
fn a_session_that_ends_leaves_nothing_behind() {
    check::holds("exits", &exits(Fault::None));
}

#[test]
fn an_end_that_does_not_wait_for_the_commit_gives_one_job_to_two() {
    check::finds("EndsAtOnce", &one_worker_twice(Fault::EndsAtOnce), ONE_HOLDER);
}

#[test]
fn a_fence_without_the_attempt_lets_an_old_attempt_end_a_new_one() {
    check::finds("AttemptIgnored", &leases(Fault::AttemptIgnored), FENCED);
}

#[test]
fn an_end_that_is_not_marked_takes_effect_twice() {
    check::finds("EndNotMarked", &one_worker_twice(Fault::EndNotMarked), FENCED);
}

#[test]
fn a_lease_that_runs_out_while_its_claim_is_being_ended_takes_the_claim_away() {
    check::finds("ExpiresWhileEnding", &leases(Fault::ExpiresWhileEnding), NOTES_STAND);
}

#[test]
fn waiting_for_the_row_alone_refuses_who_holds_the_job() {
    check::finds("WaitsForRowOnly, lease", &leases(Fault::WaitsForRowOnly), NOT_REFUSED);
    check::finds("WaitsForRowOnly", &one_worker_twice(Fault::WaitsForRowOnly), NOT_REFUSED);
}

#[test]
fn a_subtransaction_whose_abort_is_not_heard_leaves_a_claim_behind() {
    check::finds("SubabortForgotten", &in_subtransactions(Fault::SubabortForgotten), NOTHING_LEFT);
}

#[test]
fn claims_that_end_before_the_abort_are_taken_under_an_open_transaction() {
    check::finds("ExitBeforeAbort", &exits(Fault::ExitBeforeAbort), NOTES_STAND);
    check::finds("ExitBeforeAbort", &exits(Fault::ExitBeforeAbort), ONE_HOLDER);
}
