//! The clock is set: lengths of time that are under way last as long as they would have.

use super::*;

const SECOND: i64 = 1_000_000;
const HOUR: i64 = 3600 * SECOND;
const START: i64 = 700_000_000 * SECOND;

fn watched() -> Claims<'static> {
    let mut claims = claims(8);
    assert_eq!(claims.look_at_clock(START, 50 * SECOND), 0, "the first look knows nothing of before");
    claims
}

fn leased(claims: &mut Claims<'_>) -> u64 {
    let mut request = request(1, 1);
    request.now = START;
    request.as_worker = Worker::new(START, 30 * SECOND, 0);
    let number = claims.publish(&request).unwrap();
    claims.keep(&job(1), number, 1000);
    number
}

fn is_lost(claims: &mut Claims<'_>, now: i64) -> bool {
    claims.expire_some(RELATION, now, 0, 0, 64);
    claims.claim(&job(1)).is_none_or(Claim::is_lost)
}

#[test]
fn a_lease_runs_out_after_its_time_whatever_the_clock_says() {
    for step in [-HOUR, HOUR, -365 * 24 * HOUR] {
        let mut claims = watched();
        leased(&mut claims);
        let now = START + 10 * SECOND + step;
        assert_eq!(claims.look_at_clock(now, 60 * SECOND), step);
        assert!(!is_lost(&mut claims, now + 19 * SECOND), "{step}");
        assert!(is_lost(&mut claims, now + 21 * SECOND), "{step}");
    }
}

#[test]
fn a_clock_that_runs_a_little_fast_or_slow_was_not_set() {
    let mut claims = watched();
    leased(&mut claims);
    for second in 1..=29 {
        assert_eq!(claims.look_at_clock(START + second * (SECOND + 900), 50 * SECOND + second * SECOND), 0);
    }
    assert!(!is_lost(&mut claims, START + 29 * SECOND));
    assert!(is_lost(&mut claims, START + 31 * SECOND));
}

#[test]
fn a_job_that_rests_and_a_worker_that_is_kept_away_come_back_in_their_time() {
    let mut claims = watched();
    claims.found_database(RELATION, false);
    assert_eq!(claims.launch(START, 4), Launch::Start(1));
    assert!(claims.worker_enters(RELATION, 42, START));
    claims.worker_left(RELATION, 42, false, START);
    let number = leased(&mut claims);
    for _ in 0..3 {
        let claim = *claims.claim(&job(1)).unwrap();
        claims.rolled_back(&job(1), &claim, SECOND, START);
    }
    claims.free(&job(1), number);
    let (_, until) = claims.rest_of(&job(1), START).unwrap();
    claims.look_at_clock(START - HOUR, 50 * SECOND);
    assert_eq!(claims.rest_of(&job(1), START - HOUR).unwrap().1, until - HOUR);
    assert_eq!(claims.launch(START - HOUR, 4), Launch::Sleep(START - HOUR + SECOND));
    assert_eq!(claims.launch(START - HOUR + SECOND, 4), Launch::Start(1));
}

#[test]
fn everybody_looks_anew_for_what_falls_due_by_the_clock() {
    let mut claims = watched();
    claims.is_used(RELATION);
    assert!(claims.worker_enters(RELATION, 42, START) && claims.worker_serves(RELATION, 77, START));
    assert!(claims.worker_looks(RELATION, START));
    claims.begin_alarm(RELATION, START);
    claims.end_alarm(RELATION, START, START + HOUR);
    claims.begin_ticks(RELATION);
    claims.end_ticks(RELATION, START + HOUR);
    assert!(claims.take_clock_was_set(RELATION));
    assert!(claims.worker_looks(RELATION, START));
    claims.worker_sleeps(RELATION, START + HOUR, START);
    claims.latches = Latches::NONE;
    claims.look_at_clock(START + 2 * HOUR, 50 * SECOND);
    let of = claims.database(RELATION).unwrap();
    assert_eq!((of.next_due, of.next_tick, of.alarmed), (0, 0, START));
    assert!(claims.take_clock_was_set(RELATION));
    assert!(claims.latches.iter().any(|latch| latch == 77));
}
