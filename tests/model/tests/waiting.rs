//! Nobody sleeps through a job.

use pgqueuer_model::check;
use pgqueuer_model::fault::Fault;
use pgqueuer_model::waiting::{WOKEN, Waiting};

fn waiting(fault: Fault) -> Waiting {
    Waiting { asks: 2, limit: 2, locks: 1, fault }
}

/// One job at a time: the end of a claim makes another job claimable.
fn limited(fault: Fault) -> Waiting {
    Waiting { limit: 1, ..waiting(fault) }
}

#[test]
fn nobody_sleeps_through_a_job() {
    check::holds("waiting", &waiting(Fault::None));
}

#[test]
fn nobody_sleeps_through_a_job_that_a_limit_kept_back() {
    check::holds("waiting, limit", &limited(Fault::None));
}

#[test]
fn looking_before_entering_the_list_sleeps_through_a_job() {
    check::finds("LookBeforeWaiting", &waiting(Fault::LookBeforeWaiting), WOKEN);
}

#[test]
fn a_wake_before_the_commit_is_visible_finds_nothing_to_do() {
    check::finds("WakeBeforeVisible", &waiting(Fault::WakeBeforeVisible), WOKEN);
}

#[test]
fn a_wake_that_nobody_looks_after_dies_with_its_client() {
    check::finds("WokenOnce", &waiting(Fault::WokenOnce), WOKEN);
}

#[test]
fn an_end_that_wakes_nobody_leaves_the_next_job_to_a_sleeper() {
    check::finds("EndWakesNobody", &limited(Fault::EndWakesNobody), WOKEN);
}

#[test]
fn a_locked_row_that_is_not_looked_at_again_is_slept_through() {
    check::finds("NoLookForLocked", &waiting(Fault::NoLookForLocked), WOKEN);
}

#[test]
fn a_second_look_that_forgets_locked_rows_leaves_the_others_asleep() {
    check::finds("SecondLookForgetsLocked", &waiting(Fault::SecondLookForgetsLocked), WOKEN);
}
