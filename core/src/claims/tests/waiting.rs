//! Waiters: as many are woken as there are jobs, and no wake is lost.

use super::*;

fn queue() -> QueueKey {
    QueueKey { relation: RELATION, name: Name::of(&["fetch"]) }
}

/// So many sessions wait for jobs, each at its place; session and latch have the place's number plus 1.
fn waiting(count: u64) -> Claims<'static> {
    let mut claims = claims(8);
    for session in 1..=count {
        let place = claims.wait(session, RELATION, session, Wanted::Jobs(&[queue().name]));
        assert_eq!(place, Some(session as usize - 1));
    }
    claims
}

/// The latches that were set since the last time.
fn latches(claims: &mut Claims<'_>) -> Vec<u64> {
    let set = claims.latches.iter().collect();
    claims.latches = Latches::NONE;
    set
}

#[test]
fn a_commit_sets_one_latch_and_the_woken_pass_on_what_is_owed() {
    let mut claims = waiting(4);
    claims.wake(&queue(), 3);
    let mut woken = vec![];
    while let [latch] = latches(&mut claims)[..] {
        woken.push(latch);
        assert!(claims.take_wake(latch as usize - 1, latch));
    }
    woken.sort_unstable();
    woken.dedup();
    assert_eq!(woken.len(), 3);
}

#[test]
fn a_waiter_that_leaves_without_an_answer_hands_its_wake_on() {
    for looked in [false, true] {
        let mut claims = waiting(2);
        claims.wake(&queue(), 1);
        let first = latches(&mut claims)[0];
        assert!(claims.take_wake(first as usize - 1, first));
        if looked {
            claims.looked(first as usize - 1, first);
        }
        claims.stop_waiting(first as usize - 1, first);
        assert_eq!(latches(&mut claims).len(), usize::from(!looked));
    }
}

#[test]
fn nobody_is_woken_for_another_entrypoint_or_table() {
    let mut claims = waiting(2);
    claims.wake(&QueueKey { relation: RELATION, name: Name::of(&["parse"]) }, 1);
    claims.wake(&QueueKey { relation: OTHER, name: queue().name }, 1);
    assert_eq!(latches(&mut claims), []);
}

#[test]
fn the_next_one_is_woken_where_less_is_claimed_than_was_answered() {
    for claimed in [false, true] {
        let mut claims = waiting(2);
        claims.begin_walk(&queue(), 0, 1000);
        claims.chase(&queue(), 1000);
        if claimed {
            claims.publish(&request(1, 1)).unwrap();
        }
        assert_eq!(claims.run_chases(RELATION, 1001), Some(1000 + CHASE_AFTER));
        assert_eq!(claims.run_chases(RELATION, 1000 + CHASE_AFTER), None);
        assert_eq!(latches(&mut claims).len(), usize::from(!claimed));
    }
}

#[test]
fn who_waits_for_the_end_of_a_few_jobs_is_woken_by_theirs_alone() {
    let mut claims = claims(8);
    claims.wait(1, RELATION, 1, Wanted::Ends(&[5, 7])).unwrap();
    claims.job_ended(RELATION, 5 + 64);
    assert_eq!(latches(&mut claims), []);
    claims.job_ended(RELATION, 7);
    assert_eq!(latches(&mut claims), [1]);
}

#[test]
fn latches_that_find_no_room_are_set_afterwards() {
    let sizing = Sizing { claims: 8, sessions: 100, named: 4, rates: 2, heads: 4, databases: 2 };
    let mut claims = Claims::view(sizing, &mut Heap).unwrap();
    claims.start(7);
    for session in 1..=100 {
        claims.wait(session, RELATION, session, Wanted::Ends(&[7])).unwrap();
    }
    claims.job_ended(RELATION, 7);
    let mut set = vec![];
    loop {
        let more = claims.latches.more;
        set.extend(latches(&mut claims));
        if !more {
            break;
        }
        claims.unlatched();
    }
    set.sort_unstable();
    assert_eq!(set, (1..=100).collect::<Vec<u64>>());
}

#[test]
fn sessions_are_counted_that_wait_for_an_entrypoint_and_are_known_to() {
    let mut claims = claims(8);
    let other = Name::of(&["other"]);
    let many: Vec<Name> = (0..9).map(|number: u32| Name::of(&[&number.to_string()])).collect();
    claims.wait(1, RELATION, 1, Wanted::Jobs(&[other, queue().name])).unwrap();
    claims.wait(2, RELATION, 2, Wanted::Jobs(&[other])).unwrap();
    claims.wait(3, RELATION, 3, Wanted::Jobs(&many)).unwrap();
    claims.wait(4, RELATION, 4, Wanted::Ends(&[7])).unwrap();
    assert_eq!(claims.waiting_for(&queue()), 1);
    // Also while it looks.
    claims.wake(&queue(), 1);
    assert_eq!(claims.waiting_for(&queue()), 1);
    claims.stop_waiting(0, 1);
    assert_eq!(claims.waiting_for(&queue()), 0);
}
