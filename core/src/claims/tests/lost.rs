//! Lost claims: nobody can end them, nobody else has them, and none is forgotten.

use super::*;

const GRACE: i64 = 500;

fn with_worker(capacity: usize) -> Claims<'static> {
    let mut claims = claims(capacity);
    claims.is_used(RELATION);
    assert!(claims.worker_enters(RELATION, 42, 0));
    assert!(claims.worker_serves(RELATION, 42, 0));
    claims
}

fn lost(claims: &Claims<'_>) -> Vec<i64> {
    let mut copy = [(0, Claim::default()); 16];
    let count = claims.lost_some(RELATION, 0, &mut copy);
    let mut ids: Vec<i64> = copy[..count].iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn a_lease_that_runs_out_loses_what_no_transaction_is_ending() {
    let mut claims = with_worker(8);
    for id in 1..=3 {
        let number = claims.publish(&request(id, 1)).unwrap();
        claims.keep(&job(id), number, 1000);
    }
    claims.begin_end(&job(2), &worker(1), None, 9, ENDER).unwrap();
    let (_, next) = claims.expire_some(RELATION, 10, GRACE, 0, 64);
    assert_eq!((lost(&claims), next), (vec![], Some(30)));
    claims.expire_some(RELATION, 30, GRACE, 0, 64);
    assert_eq!(lost(&claims), [1, 3]);
    assert_eq!(claims.begin_end(&job(1), &worker(1), None, 1, ENDER).unwrap_err(), NotHeld::Gone);
    assert_eq!(claims.publish(&request(1, 2)), Err(Refusal::Taken));
    assert!(!claims.holds(&worker(1), &job(1)) && claims.holds(&worker(1), &job(2)));
}

#[test]
fn a_lease_does_not_end_sooner_after_a_claim_that_is_counted_later() {
    let mut claims = with_worker(8);
    let rated = |id, by, now| Request {
        rate: Some(RateLimit { claims: 1, period: 1000 }),
        now,
        as_worker: Worker::new(now, 30, 0),
        ..request(id, by)
    };
    claims.publish(&rated(1, 1, 0)).unwrap();
    // The first claim is over for this one, and so for the next, whose clock was read before.
    let number = claims.publish(&rated(2, 1, 1000)).unwrap();
    claims.drop_claim(&job(2), number);
    let number = claims.publish(&rated(3, 2, 993)).unwrap();
    claims.keep(&job(3), number, 1000);
    assert_eq!(claims.expire_some(RELATION, 1000 + 29, GRACE, 0, 64).1, Some(1000 + 30));
    assert_eq!(lost(&claims), [0; 0]);
}

#[test]
fn lost_claims_leave_the_list_in_any_order() {
    for order in [[1, 2, 3], [3, 1, 2], [2, 3, 1]] {
        let mut claims = with_worker(8);
        let numbers: Vec<u64> = (1..=3).map(|id| claims.publish(&request(id, 1)).unwrap()).collect();
        assert_eq!(claims.lose_some_of(&worker(1), 8), 3);
        let mut left = vec![1, 2, 3];
        for id in order {
            claims.free(&job(id), numbers[id as usize - 1]);
            left.retain(|other| *other != id);
            assert_eq!(lost(&claims), left);
        }
        assert!(claims.publish(&request(2, 2)).is_ok());
    }
}

#[test]
fn without_a_worker_of_the_database_claims_of_ended_sessions_end_at_once() {
    let mut claims = claims(8);
    claims.publish(&request(1, 1)).unwrap();
    assert_eq!(claims.lose_some_of(&worker(1), 8), 1);
    assert!(claims.publish(&request(1, 2)).is_ok());
}

#[test]
fn the_end_of_the_last_attached_session_shortens_the_lease_to_the_grace() {
    let mut claims = with_worker(8);
    let key = worker(1);
    claims.attach(key, 0, 100_000);
    claims.attach(key, 0, 100_000);
    let number = claims.publish(&request(1, 1)).unwrap();
    claims.keep(&job(1), number, 1000);
    claims.detach(&key, 10, GRACE);
    assert_eq!(claims.expire_some(RELATION, 10, GRACE, 0, 64).1, Some(100_000));
    claims.detach(&key, 20, GRACE);
    assert_eq!(claims.expire_some(RELATION, 20, GRACE, 0, 64).1, Some(20 + GRACE));
    claims.attach(key, 30, 100_000);
    assert_eq!(claims.expire_some(RELATION, 20 + GRACE, GRACE, 0, 64).1, Some(100_030));
    claims.detach(&key, 40, GRACE);
    claims.expire_some(RELATION, 40 + GRACE, GRACE, 0, 64);
    assert_eq!(lost(&claims), [1]);
}

#[test]
fn from_the_second_rollback_in_a_row_on_a_job_rests_longer_and_longer() {
    let mut claims = claims(8);
    let mut request = request(1, 1);
    for delay in [0, 100, 200, 400] {
        let number = claims.publish(&request).unwrap();
        claims.roll_back(&job(1), number, 100, request.now);
        if delay > 0 {
            request.now += delay - 1;
            assert_eq!(claims.publish(&request), Err(Refusal::Resting));
            request.now += 1;
        }
    }
    // One that is committed ends the row.
    let number = claims.publish(&request).unwrap();
    claims.keep(&job(1), number, 1000);
    claims.free(&job(1), number);
    let number = claims.publish(&request).unwrap();
    claims.roll_back(&job(1), number, 100, request.now);
    assert!(claims.publish(&request).is_ok());
}

#[test]
fn a_worker_with_many_claims_loses_them_in_slices_and_all_of_them() {
    let mut claims = with_worker(256);
    for id in 1..=200 {
        let number = claims.publish(&request(id, 1)).unwrap();
        claims.keep(&job(id), number, 1000);
    }
    let mut rounds = 0;
    while claims.expire_some(RELATION, 1000, GRACE, 0, 64).1 == Some(1000) {
        rounds += 1;
        assert!(rounds < 10);
    }
    assert!((1..=200).all(|id| claims.claim(&job(id)).is_some_and(Claim::is_lost)));
}
