//! The claim table against a plain model: random claims, ends, drops and forgotten ends; after every step the counts
//! agree with a recount and no rule is broken.

mod clock;
mod cursor;
mod launch;
mod lost;
mod tally;
mod waiting;

use super::*;
use crate::table::NONE;
use proptest::prelude::*;

const RELATION: Relation = Relation { database: 1, table: 2 };
const ENDER: Transaction = Transaction { place: 3, number: 4 };
const OTHER: Relation = Relation { database: 9, table: 2 };

/// Pieces of memory from the heap, leaked for the life of the test process.
struct Heap;

impl<'a> Carve<'a> for Heap {
    fn carve<T: Copy + Default>(&mut self, count: usize) -> &'a mut [T] {
        Box::leak(vec![T::default(); count].into_boxed_slice())
    }
}

fn claims(capacity: usize) -> Claims<'static> {
    let sizing = Sizing { claims: capacity, sessions: 4, named: 4, rates: 2, heads: 4, databases: 2 };
    let mut claims = Claims::view(sizing, &mut Heap).unwrap();
    claims.start(7);
    claims
}

fn job(id: i64) -> JobKey {
    JobKey { relation: RELATION, id }
}

fn worker(id: u64) -> WorkerKey {
    WorkerKey { relation: RELATION, kind: WorkerKind::Named, id: [0, id] }
}

fn request(id: i64, by: u64) -> Request {
    Request {
        job: job(id),
        worker: worker(by),
        as_worker: Worker::new(0, 30, 0),
        attempt: 0,
        created: 100,
        priority: 0,
        due: 100,
        now: 1000,
        session: by,
        queue: Name::of(&["fetch"]),
        order: Name::NONE,
        limit: 0,
        rate: None,
        max_in_flight: None,
    }
}

#[test]
fn a_held_job_is_not_claimed_again_until_it_is_free() {
    let mut claims = claims(8);
    let number = claims.publish(&request(1, 1)).unwrap();
    assert_eq!(claims.publish(&request(1, 2)), Err(Refusal::Taken));
    claims.end(&job(1), number);
    assert!(claims.publish(&request(1, 2)).is_ok());
    claims.end(&job(1), number);
    assert!(claims.holds(&worker(2), &job(1)), "an old number ends nobody's claim");
}

#[test]
fn limits_keys_and_budgets_are_counted_with_the_claim() {
    let mut claims = claims(8);
    let limited = Request { limit: 1, ..request(1, 1) };
    let number = claims.publish(&limited).unwrap();
    assert_eq!(claims.publish(&Request { job: job(2), ..limited }), Err(Refusal::LimitReached));
    claims.end(&job(1), number);
    let keyed = Request { order: Name::of(&["fetch", "k"]), ..request(3, 1) };
    claims.publish(&keyed).unwrap();
    assert_eq!(claims.publish(&Request { job: job(4), ..keyed }), Err(Refusal::KeyBusy));
    assert_eq!(claims.publish(&Request { max_in_flight: Some(1), ..request(5, 1) }), Err(Refusal::WorkerFull));
}

#[test]
fn a_dropped_claim_gives_its_token_back_and_an_ended_one_does_not() {
    let mut claims = claims(8);
    let rated = Request { rate: Some(RateLimit { claims: 1, period: 1_000_000 }), ..request(1, 1) };
    let number = claims.publish(&rated).unwrap();
    assert_eq!(claims.publish(&Request { job: job(2), ..rated }), Err(Refusal::RateSpent));
    claims.drop_claim(&job(1), number);
    let number = claims.publish(&rated).unwrap();
    claims.end(&job(1), number);
    assert_eq!(claims.publish(&rated), Err(Refusal::RateSpent));
}

#[test]
fn only_the_holder_ends_a_claim_and_only_once() {
    let mut claims = claims(8);
    let number = claims.publish(&request(1, 1)).unwrap();
    assert_eq!(claims.begin_end(&job(1), &worker(2), None, 2, ENDER), Err(NotHeld::ByWorker));
    assert_eq!(
        claims.begin_end(&job(1), &worker(1), None, 5, ENDER),
        Err(NotHeld::Gone),
        "open in another transaction"
    );
    claims.keep(&job(1), number, 1);
    assert_eq!(claims.begin_end(&job(1), &worker(1), Some(3), 5, ENDER), Err(NotHeld::Gone), "another attempt");
    assert!(claims.begin_end(&job(1), &worker(1), Some(0), 5, ENDER).is_ok());
    assert_eq!(claims.begin_end(&job(1), &worker(1), None, 5, ENDER), Err(NotHeld::Gone), "ended here already");
    assert_eq!(claims.begin_end(&job(1), &worker(1), None, 6, ENDER), Err(NotHeld::Ending(ENDER)));
    claims.forget_end(&job(1), number);
    assert!(claims.begin_end(&job(1), &worker(1), None, 6, ENDER).is_ok());
}

#[test]
fn the_last_places_are_kept_for_databases_that_hold_little() {
    let mut claims = claims(64);
    let other = |id| Request {
        job: JobKey { relation: OTHER, id },
        worker: WorkerKey { relation: OTHER, ..worker(9) },
        ..request(id, 9)
    };
    let made = (1..=64).filter(|id| claims.publish(&request(*id, 1)).is_ok()).count();
    assert_eq!(made, 56);
    claims.publish(&other(1)).unwrap();
    claims.publish(&other(2)).unwrap_err();
}

#[test]
fn what_holds_claims_in_a_dropped_table_is_freed_piece_by_piece() {
    let mut claims = claims(64);
    for id in 0..20 {
        claims.publish(&request(id, 1)).unwrap();
    }
    let last = claims.boot.claims;
    claims.publish(&request(99, 1)).unwrap();
    let (mut from, mut rounds) = (Some(0), 0);
    while let Some(slot) = from {
        from = claims.end_some_in(Relation { table: 0, ..RELATION }, last, slot, 16);
        rounds += 1;
    }
    assert_eq!((claims.fill().0, rounds), (1, 4));
    assert!(claims.holds(&worker(1), &job(99)), "a claim made later is on a new job");
}

#[test]
fn workers_of_a_dropped_table_are_forgotten() {
    let mut claims = claims(8);
    for id in 1..=3 {
        assert!(claims.beat(worker(id), 0, None, 30));
    }
    let number = claims.publish(&request(1, 4)).unwrap();
    assert!(claims.knows(RELATION));
    claims.end(&job(1), number);
    assert!(claims.knows(RELATION), "its workers are still known");
    let mut from = Some(0);
    while let Some(slot) = from {
        from = claims.forget_some_in(RELATION, slot, 1);
    }
    assert!(claims.workers.is_empty() && !claims.knows(RELATION));
}

#[test]
fn named_workers_take_no_place_of_sessions_and_the_idle_make_room() {
    let mut claims = claims(8);
    claims.publish(&request(1, 1)).unwrap();
    for id in 1..=40 {
        assert!(claims.beat(worker(id), 0, Some(i64::MAX), 30));
    }
    assert_eq!((claims.boot.named, claims.workers.len()), (4, 4));
    assert!(claims.holds(&worker(1), &job(1)), "one that holds a job is not forgotten");
    for session in 1..=4 {
        let key = WorkerKey::of_session(RELATION, 7, session);
        claims.publish(&Request { worker: key, ..request(10 + session as i64, 1) }).unwrap();
    }
}

#[test]
fn where_every_named_worker_holds_a_job_there_is_no_room_for_another() {
    let mut claims = claims(8);
    for id in 1..=4 {
        claims.publish(&request(id as i64, id)).unwrap();
    }
    assert!(!claims.beat(worker(5), 0, None, 30));
    assert_eq!(claims.publish(&request(9, 5)), Err(Refusal::TableFull));
}

#[test]
fn an_entrypoint_without_a_place_for_its_rate_is_refused_alone() {
    let mut claims = claims(8);
    let rated = |id, name: &str, now| Request {
        queue: Name::of(&[name]),
        rate: Some(RateLimit { claims: 1, period: 1000 }),
        now,
        ..request(id, 1)
    };
    claims.publish(&rated(1, "a", 0)).unwrap();
    claims.publish(&rated(2, "b", 0)).unwrap();
    assert_eq!(claims.publish(&rated(3, "c", 999)), Err(Refusal::RatesFull));
    claims.publish(&rated(3, "c", 1000)).unwrap();
    claims.publish(&Request { rate: None, ..rated(4, "d", 0) }).unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Publish(i64, u64, u8, u32),
    End(i64),
    Drop(i64),
    Leave(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0i64..24, 1u64..4, 0u8..4, 0u32..5).prop_map(|(j, w, k, l)| Step::Publish(j, w, k, l)),
        2 => (0i64..24).prop_map(Step::End),
        1 => (0i64..24).prop_map(Step::Drop),
        1 => (1u64..4).prop_map(Step::Leave),
    ]
}

proptest! {
    #[test]
    fn counts_agree_with_a_recount(steps in prop::collection::vec(step(), 1..200)) {
        let mut claims = claims(16);
        for step in steps {
            match step {
                Step::Publish(id, by, key, limit) => {
                    let order = if key == 0 { Name::NONE } else { Name::of(&["fetch", &key.to_string()]) };
                    let before = claims.in_flight(&QueueKey { relation: RELATION, name: Name::of(&["fetch"]) });
                    let made = claims.publish(&Request { order, limit, ..request(id, by) });
                    prop_assert!(made.is_err() || limit == 0 || before < u64::from(limit));
                }
                Step::End(id) => {
                    let number = claims.claim(&job(id)).map_or(0, |claim| claim.number);
                    claims.end(&job(id), number);
                }
                Step::Drop(id) => {
                    let number = claims.claim(&job(id)).map_or(0, |claim| claim.number);
                    claims.drop_claim(&job(id), number);
                }
                Step::Leave(by) => while claims.end_some_of(&worker(by), 3) == 3 {},
            }
            recount(&claims)?;
        }
    }
}

fn recount(claims: &Claims<'_>) -> Result<(), TestCaseError> {
    let all: Vec<_> = claims.some_of(RELATION, 0, u32::MAX).0.collect();
    let queue = QueueKey { relation: RELATION, name: Name::of(&["fetch"]) };
    prop_assert_eq!(claims.in_flight(&queue), all.len() as u64);
    let held = claims.relations.get(&RELATION).copied().unwrap_or_default();
    prop_assert_eq!(held.claims, all.len() as u64);
    prop_assert_eq!(held.workers, claims.workers.len() as u64);
    prop_assert_eq!(claims.orders.len(), all.iter().filter(|(_, claim)| claim.order != Name::NONE).count());
    for (key, worker) in claims.workers_of(RELATION) {
        let held = all.iter().filter(|(_, claim)| claim.worker == *key).count() as u64;
        prop_assert_eq!(worker.claims, held);
        let (mut listed, mut next) = (0, claims.first_of(key));
        while let Some(job) = next {
            listed += 1;
            prop_assert!(listed <= held, "a list without end");
            let claim = claims.claim(&job).expect("a listed claim exists");
            next = (claim.next != NONE).then(|| *claims.jobs.at(claim.next).expect("a linked slot is in use").0);
        }
        prop_assert_eq!(listed, held);
    }
    Ok(())
}
