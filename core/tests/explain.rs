//! Every reason in words.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_core::claims::Refusal;
use pgqueuer_core::explain::{
    Ahead, Asked, By, Due, First, Here, Hold, Holder, Last, Memory, Moment, Row, duration, sentence,
};

const SECOND: i64 = 1_000_000;

fn moment(seconds: i64) -> Moment {
    Moment { shown: "T".to_owned(), away: seconds * SECOND }
}

fn here() -> Here {
    Here {
        holder: None,
        refusal: None,
        in_flight: (3, 3),
        rate: Some((10, 60 * SECOND, moment(4))),
        rest: Some((5, moment(2))),
        room: (56, 64),
        asked: Asked::Since(moment(1)),
        waiting: 0,
        ahead: Ahead::Exactly(0),
    }
}

fn row(memory: Memory) -> Row {
    Row {
        entrypoint: "it's".to_owned(),
        attempts: 0,
        failures: 0,
        held: false,
        due: Due::Since(moment(185)),
        paused: false,
        behind: None,
        locked: false,
        memory,
    }
}

fn last(outcome: &str, attempt: i32, error: Option<&str>) -> Last {
    Last { outcome: outcome.to_owned(), attempt, error: error.map(str::to_owned), at: moment(60) }
}

fn queued(change: impl FnOnce(&mut Here)) -> String {
    let mut here = here();
    change(&mut here);
    sentence(5, Some(&row(Memory::Here(Box::new(here)))), None, false)
}

fn with_row(change: impl FnOnce(&mut Row)) -> String {
    let mut row = row(Memory::Here(Box::new(here())));
    change(&mut row);
    sentence(5, Some(&row), Some(&last("retried", 0, Some("boom"))), false)
}

fn held_by(worker: By, state: Hold) -> Holder {
    Holder { worker, attempt: 1, since: moment(3), state }
}

fn named() -> By {
    By::Named("u-u-i-d".to_owned(), moment(2), moment(28))
}

#[test]
fn a_job_without_a_row() {
    let never = "Job 5 is not known: never enqueued, rolled back,";
    assert_eq!(sentence(5, None, None, false), format!("{never} or forgotten by the log."));
    assert_eq!(sentence(5, None, None, true), format!("{never} forgotten by the log, or enqueued by another role."));
    let ended = |last: &Last| sentence(5, None, Some(last), false);
    let again = "To run it again, enqueue it again.";
    let cases = [
        (last("successful", 0, None), "successful at T (1 min ago), in attempt 1."),
        (
            last("exception", 4, Some("no\nroute")),
            "exception at T (1 min ago), in attempt 5, with the error \"no route\".",
        ),
        (last("canceled", 0, None), "canceled at T (1 min ago)."),
        (last("deleted", 2, None), "deleted at T (1 min ago)."),
    ];
    for (last, said) in cases {
        assert_eq!(ended(&last), format!("Job 5 has ended: {said} {again}"));
    }
}

#[test]
fn a_job_that_is_held() {
    let mut row = row(Memory::Absent);
    (row.held, row.due) = (true, Due::Never);
    let then = "SELECT pgq.requeue('{5}') queues it again, pgq.delete removes it.";
    let said = |last: Option<Last>| sentence(5, Some(&row), last.as_ref(), false);
    assert_eq!(
        said(Some(last("failed", 4, Some("boom")))),
        format!("Job 5 is held as failed since T (1 min ago): attempt 5 failed with \"boom\". {then}")
    );
    assert_eq!(
        said(Some(last("failed", 4, None))),
        format!("Job 5 is held as failed since T (1 min ago): attempt 5 failed. {then}")
    );
    assert_eq!(said(None), format!("Job 5 is held as failed. {then}"));
}

#[test]
fn a_job_that_is_picked() {
    let by_session = "Job 5 is picked: attempt 2, by the session with process 4711 since T (3 s ago).";
    let by_name = "Job 5 is picked: attempt 2, by the named worker u-u-i-d since T (3 s ago), last heard of 2 s ago.";
    let by_gone = "Job 5 is picked: attempt 2, by the worker u-u-i-d since T (3 s ago).";
    let gone = || By::Gone("u-u-i-d".to_owned());
    let counted = "That worker is gone: the job is queued again as soon as the attempt has been counted.";
    let cases = [
        (By::Session(4711), Hold::Stands, by_session, "It is queued again if that session ends before the job does."),
        (By::Session(4711), Hold::Open, by_session, "The transaction that claimed it is still open."),
        (By::Session(4711), Hold::Ending, by_session, "A transaction that is still open is ending the claim."),
        (named(), Hold::Stands, by_name, "It is queued again if nothing is heard of that worker until T (in 28 s)."),
        (named(), Hold::Lost, by_name, counted),
        (gone(), Hold::Lost, by_gone, counted),
    ];
    for (worker, state, who, then) in cases {
        assert_eq!(queued(|here| here.holder = Some(held_by(worker, state))), format!("{who} {then}"));
    }
}

#[test]
fn a_job_that_is_not_due() {
    let at = || Due::At(moment(185));
    let now = "SELECT pgq.reschedule('{5}') makes it due now.";
    assert_eq!(with_row(|row| row.due = at()), format!("Job 5 is deferred until T (in 3 min 5 s). {now}"));
    let again = "Job 5 waits until T (in 3 min 5 s), to be tried again";
    assert_eq!(
        with_row(|row| (row.due, row.attempts, row.failures) = (at(), 1, 1)),
        format!("{again}: attempt 1 failed with \"boom\". {now}")
    );
    assert_eq!(
        with_row(|row| (row.due, row.attempts) = (at(), 1)),
        format!("{again}: attempt 1 gave it back to be tried again with \"boom\". {now}")
    );
    assert_eq!(
        with_row(|row| row.due = Due::Never),
        format!("Job 5 is deferred for ever: its execute_after is infinity. {now}")
    );
}

#[test]
fn a_job_where_nothing_can_be_claimed() {
    let due = "Job 5 is due since T (3 min 5 s ago), but";
    assert_eq!(
        with_row(|row| row.memory = Memory::Absent),
        format!(
            "{due} the library pgqueuer is not preloaded, so nothing can be claimed. Add shared_preload_libraries = 'pgqueuer' to postgresql.conf and restart the server."
        )
    );
    assert_eq!(
        with_row(|row| row.memory = Memory::Elsewhere),
        format!(
            "{due} this is a standby, which hands out nothing. Whether a worker holds the job is known on the primary only: ask there."
        )
    );
}

#[test]
fn a_job_that_its_row_keeps_back() {
    assert_eq!(
        with_row(|row| row.paused = true),
        "Job 5 waits because its entrypoint is paused. SELECT pgq.resume('it''s') lets it run."
    );
    assert_eq!(
        with_row(|row| row.locked = true),
        "Job 5 is passed over because a transaction that is still open has locked or changed its row. It can be claimed when that has ended."
    );
    let cases = [
        (Due::Since(moment(9)), None, "queued"),
        (Due::At(moment(9)), None, "not due until T (in 9 s)"),
        (Due::Never, None, "deferred for ever"),
        (
            Due::Since(moment(9)),
            Some(held_by(By::Session(7), Hold::Stands)),
            "picked: attempt 2, by the session with process 7 since T (3 s ago)",
        ),
    ];
    for (due, holder, is) in cases {
        let behind = First { id: 3, key: "account 7".to_owned(), due, holder };
        assert_eq!(
            with_row(|row| row.behind = Some(behind)),
            format!(
                "Job 5 waits for job 3, the first with the ordering key \"account 7\", which is {is}. It can be claimed when job 3 has ended or is held as failed."
            )
        );
    }
}

#[test]
fn a_job_that_memory_keeps_back() {
    let cases = [
        (
            Refusal::Resting,
            "is held back until T (in 2 s) because its claims were rolled back, 5 times in a row. It runs when its worker's transaction commits.",
        ),
        (
            Refusal::KeyBusy,
            "waits because another job with its ordering key is picked. It can be claimed when that has ended.",
        ),
        (
            Refusal::LimitReached,
            "waits because the concurrency limit of its entrypoint is reached: 3 of 3 are in flight. It can be claimed when one of them ends, or when pgq.configure('it''s', concurrency_limit => ...) raises the limit.",
        ),
        (
            Refusal::RateSpent,
            "waits because the rate limit of its entrypoint is spent: 10 per 1 min. The next claim is possible at T (in 4 s).",
        ),
        (
            Refusal::RatesFull,
            "waits because memory has no room for the rate limit of another entrypoint. It runs when one of those has made no claim for its period; pgqueuer.max_claims sizes that room.",
        ),
        (
            Refusal::TableFull,
            "waits because memory has no room for its claim: 56 of 64 are taken, and the last eighth is for databases that hold little. It runs when claims end, or with a higher pgqueuer.max_claims.",
        ),
    ];
    for (refusal, said) in cases {
        assert_eq!(queued(|here| here.refusal = Some(refusal)), format!("Job 5 {said}"));
    }
}

#[test]
fn a_job_that_nothing_keeps_back() {
    let due = "Job 5 is due since T (3 min 5 s ago), but no worker has asked for its entrypoint since";
    let call = "It runs when one calls SELECT * FROM pgq.dequeue(ARRAY['it''s']).";
    assert_eq!(queued(|here| here.asked = Asked::Never), format!("{due} the server started. {call}"));
    assert_eq!(queued(|here| here.asked = Asked::Before(moment(600))), format!("{due} T (10 min ago). {call}"));
    let can = "Job 5 can be claimed since T (3 min 5 s ago)";
    let asked = "a worker last asked for its entrypoint 1 s ago";
    let orders = [
        (Ahead::Exactly(0), "it is the next of its entrypoint"),
        (Ahead::Exactly(1), "one job of its entrypoint is ahead of it"),
        (Ahead::Exactly(12), "12 jobs of its entrypoint are ahead of it"),
        (Ahead::AtLeast(1000), "at least 1000 jobs of its entrypoint are ahead of it"),
    ];
    for (ahead, order) in orders {
        assert_eq!(queued(|here| here.ahead = ahead), format!("{can}: {order}, {asked}."));
    }
    let next = "it is the next of its entrypoint";
    let waiting = |asked, waiting| queued(|here| (here.asked, here.waiting) = (asked, waiting));
    assert_eq!(
        waiting(Asked::Before(moment(1)), 1),
        format!("{can}: {next}, {asked}, and one session waits for its entrypoint.")
    );
    assert_eq!(
        waiting(Asked::Never, 2),
        format!("{can}: {next}, no worker has asked for its entrypoint yet, and 2 sessions wait for its entrypoint.")
    );
    assert_eq!(
        waiting(Asked::Unknown, 0),
        format!(
            "{can}: {next}, whether workers ask for its entrypoint is not known, because there are more than pgqueuer.max_entrypoints."
        )
    );
}

#[test]
fn lengths_of_time() {
    let cases = [
        (-1, "0 ms"),
        (999, "0 ms"),
        (250_000, "250 ms"),
        (SECOND, "1 s"),
        (5 * SECOND + 999_999, "5 s"),
        (185 * SECOND, "3 min 5 s"),
        (3600 * SECOND, "1 h"),
        (3605 * SECOND, "1 h"),
        (90_061 * SECOND, "1 d 1 h"),
        (i64::MAX, "106751991 d 4 h"),
    ];
    for (microseconds, said) in cases {
        assert_eq!(duration(microseconds), said, "{microseconds}");
    }
}

#[test]
fn a_long_error_is_cut() {
    let error = "ü".repeat(201);
    let said = sentence(5, None, Some(&last("exception", 0, Some(&error))), false);
    assert!(said.contains(&format!("\"{}…\"", "ü".repeat(200))), "{said}");
}
