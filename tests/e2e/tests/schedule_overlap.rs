//! Where a schedule may not overlap, no tick enqueues a job while the last one is still queued or picked.

#![allow(clippy::indexing_slicing, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::ticks::{Tick, each_second, is_without_gap, seconds, shown, ticks, until_more};
use pgqueuer_e2e::until::until;
use postgres::Client;

/// A schedule `one` that may not overlap and has enqueued a job, and a `control` that may.
fn with_first_job(database: &Database) -> (Client, i64) {
    let mut session = database.connect();
    each_second(&mut session, "control", ", overlap => true");
    each_second(&mut session, "one", "");
    seconds(&mut session, "one", 1);
    let first = jobs(&mut session)[0];
    (session, first)
}

fn jobs(session: &mut Client) -> Vec<i64> {
    ticks(session, "one").iter().map(|tick: &Tick| tick.job).collect()
}

/// The schedule goes on ticking, and enqueues nothing.
fn waits_for(session: &mut Client, job: i64, why: &str) {
    let before = shown(session, "one", "last_tick");
    until_more(session, "control", 3);
    assert_eq!(jobs(session), [job], "{why}");
    assert!(shown(session, "one", "last_tick") > before, "it ticks on: {why}");
    let note = shown(session, "one", "note").unwrap_or_default();
    assert!(note.contains(&job.to_string()) && note.contains("not done"), "the note says why: {why}: {note}");
    assert_eq!(shown(session, "one", "last_job"), Some(job.to_string()));
}

/// The next tick enqueues.
fn goes_on(session: &mut Client, after: i64, why: &str) -> i64 {
    let next = until(&format!("a job after {why}"), || jobs(session).into_iter().find(|job| *job > after));
    assert_eq!(shown(session, "one", "note"), None, "{why}");
    next
}

#[test]
fn no_job_while_the_last_one_is_queued_or_picked_or_waits_for_a_retry() {
    let database = database();
    let (mut session, first) = with_first_job(&database);
    waits_for(&mut session, first, "it is queued");
    let mut worker = database.connect();
    assert_eq!(dequeue(&mut worker, "one", 9), [first]);
    waits_for(&mut session, first, "it is picked");
    assert!(value::<bool>(&mut worker, "SELECT pgq.retry($1, '1 hour')", &[&first]));
    waits_for(&mut session, first, "it waits for a retry");
    run(&mut session, &format!("SELECT pgq.reschedule('{{{first}}}')"));
    assert_eq!(dequeue(&mut worker, "one", 9), [first]);
    assert_eq!(value::<String>(&mut worker, "SELECT pgq.fail($1)::text", &[&first]), "queued");
    waits_for(&mut session, first, "it waits after a failure");
    run(&mut session, &format!("SELECT pgq.reschedule('{{{first}}}')"));
    assert_eq!(dequeue(&mut worker, "one", 9), [first]);
    drop(worker);
    waits_for(&mut session, first, "its worker ended");
    assert_eq!(dequeue(&mut session, "one", 9), [first]);
    assert_eq!(complete(&mut session, &[first]), [first]);
    goes_on(&mut session, first, "it is done");
}

#[test]
fn whatever_ends_the_last_job_lets_the_next_tick_enqueue_and_a_held_one_does_not_block() {
    let database = database();
    let (mut session, mut last) = with_first_job(&database);
    run(&mut session, "SELECT pgq.configure('one', max_attempts => 1)");
    for end in ["pgq.complete($)", "pgq.cancel('{$}')", "pgq.fail($, 'held')"] {
        until("it can be claimed", || dequeue(&mut session, "one", 1).contains(&last).then_some(()));
        run(&mut session, &format!("SELECT {}", end.replace('$', &last.to_string())));
        last = goes_on(&mut session, last, end);
    }
    assert_eq!(
        column::<String>(&mut session, "SELECT status::text FROM pgq.jobs WHERE entrypoint = 'one' ORDER BY id", &[])
            [0],
        "failed"
    );
    run(&mut session, &format!("SELECT pgq.delete('{{{last}}}')"));
    goes_on(&mut session, last, "it was deleted while it was queued");
}

#[test]
fn a_job_that_is_done_at_once_gives_each_tick_its_own() {
    let database = database();
    let mut session = database.connect();
    each_second(&mut session, "one", "");
    let mut done = vec![];
    until("five jobs are done", || {
        let claimed = dequeue(&mut session, "one", 9);
        assert!(claimed.len() <= 1);
        let live = ticks(&mut session, "one");
        assert_eq!(complete(&mut session, &claimed), claimed);
        done.extend(live.iter().filter(|tick| claimed.contains(&tick.job)).map(Tick::second));
        (done.len() == 5).then_some(())
    });
    assert!(is_without_gap(&done), "{done:?}");
}

#[test]
fn one_that_may_overlap_does() {
    let database = database();
    let mut session = database.connect();
    each_second(&mut session, "many", ", overlap => true");
    until_more(&mut session, "many", 1);
    dequeue(&mut session, "many", 1);
    until_more(&mut session, "many", 3);
    let at = seconds(&mut session, "many", 4);
    assert!(is_without_gap(&at), "{at:?}");
    assert_eq!(shown(&mut session, "many", "note"), None);
    // From the next tick on it may not.
    each_second(&mut session, "many", "");
    until("the note says so", || shown(&mut session, "many", "note"));
    let count = ticks(&mut session, "many").len();
    each_second(&mut session, "control", ", overlap => true");
    until_more(&mut session, "control", 2);
    assert_eq!(ticks(&mut session, "many").len(), count);
}
