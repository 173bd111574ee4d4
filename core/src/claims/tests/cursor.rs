//! The cursor: nothing that became claimable is ever passed.

use super::*;

const SECOND: i64 = 1_000_000;

fn queue() -> QueueKey {
    QueueKey { relation: RELATION, name: Name::of(&["fetch"]) }
}

fn at(due: i64) -> Point {
    Point { due, id: 1 }
}

/// Walks to `to` once, so that the first full walk is over and the cursor is there.
fn with_cursor_at(to: i64, now: i64) -> Claims<'static> {
    let mut claims = claims(8);
    let walk = claims.begin_walk(&queue(), 0, now);
    assert_eq!(walk.from, Point::FIRST);
    claims.end_walk(&queue(), &walk, at(to), Point::NEVER, now);
    claims
}

#[test]
fn a_walk_begins_where_the_last_one_ended() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    assert_eq!(claims.begin_walk(&queue(), 0, 10 * SECOND).from, at(50));
}

#[test]
fn what_arrives_during_a_walk_is_not_passed_by_it() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    let walk = claims.begin_walk(&queue(), 0, 10 * SECOND);
    claims.lower(&queue(), 0, at(60));
    claims.end_walk(&queue(), &walk, at(90), Point::NEVER, 10 * SECOND);
    assert_eq!(claims.begin_walk(&queue(), 0, 10 * SECOND).from, at(60));
}

#[test]
fn who_walks_beside_the_walker_sets_nothing_and_misses_nothing() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    let walker = claims.begin_walk(&queue(), 0, 10 * SECOND);
    claims.lower(&queue(), 0, at(40));
    let other = claims.begin_walk(&queue(), 0, 10 * SECOND);
    assert_eq!((walker.from, other.from), (at(50), at(40)));
    claims.end_walk(&queue(), &other, at(99), Point::NEVER, 10 * SECOND);
    claims.end_walk(&queue(), &walker, at(70), Point::NEVER, 10 * SECOND);
    assert_eq!(claims.begin_walk(&queue(), 0, 10 * SECOND).from, at(40));
}

#[test]
fn a_walker_that_died_is_replaced_after_a_second() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    let dead = claims.begin_walk(&queue(), 0, 10 * SECOND);
    let next = claims.begin_walk(&queue(), 0, 11 * SECOND);
    claims.end_walk(&queue(), &next, at(70), Point::NEVER, 11 * SECOND);
    claims.end_walk(&queue(), &dead, at(99), Point::NEVER, 11 * SECOND);
    assert_eq!(claims.begin_walk(&queue(), 0, 11 * SECOND).from, at(70));
}

#[test]
fn once_in_a_while_a_walk_begins_at_the_head_though_not_more_often_than_it_is_cheap() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    let full = claims.begin_walk(&queue(), 0, 12 * SECOND);
    assert_eq!(full.from, Point::FIRST);
    claims.end_walk(&queue(), &full, at(50), Point::NEVER, 12 * SECOND + SECOND / 2);
    assert_eq!(claims.begin_walk(&queue(), 0, 20 * SECOND).from, at(50));
    assert_eq!(claims.begin_walk(&queue(), 0, 23 * SECOND).from, Point::FIRST);
}

#[test]
fn the_end_of_the_first_of_a_key_lowers_to_what_was_hidden_behind_it() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    let walk = claims.begin_walk(&queue(), 0, 10 * SECOND);
    claims.end_walk(&queue(), &walk, at(90), at(60), 10 * SECOND);
    assert_eq!(claims.begin_walk(&queue(), 0, 10 * SECOND).from, at(90));
    claims.key_is_free(&queue());
    assert_eq!(claims.begin_walk(&queue(), 0, 11 * SECOND - 1).from, at(90).min(at(60)));
}

#[test]
fn a_key_that_comes_free_while_its_next_job_is_being_left_out_is_not_lost() {
    let mut claims = with_cursor_at(50, 10 * SECOND);
    let walk = claims.begin_walk(&queue(), 0, 10 * SECOND);
    claims.key_is_free(&queue());
    claims.end_walk(&queue(), &walk, at(90), at(60), 10 * SECOND);
    assert_eq!(claims.begin_walk(&queue(), 0, 10 * SECOND).from, at(60));
}

#[test]
fn a_claim_that_did_not_come_about_lowers_to_its_job() {
    let mut claims = with_cursor_at(200, 10 * SECOND);
    let number = claims.publish(&request(1, 1)).unwrap();
    claims.drop_claim(&job(1), number);
    assert_eq!(claims.begin_walk(&queue(), 0, 10 * SECOND).from, Point { due: 100, id: 1 });
}

#[test]
fn one_entrypoint_too_many_takes_the_place_of_another() {
    let mut claims = claims(8);
    for number in 0..20 {
        let queue = QueueKey { relation: RELATION, name: Name::of(&[&format!("entrypoint {number}")]) };
        let walk = claims.begin_walk(&queue, 0, 10 * SECOND);
        claims.end_walk(&queue, &walk, at(50), Point::NEVER, 10 * SECOND);
        assert_eq!(claims.begin_walk(&queue, 0, 10 * SECOND).from, at(50));
    }
    assert_eq!(claims.boot.heads_forgotten, 16);
}

proptest! {
    /// Places become claimable and are taken; walks begin and end in any order, some never. Whoever begins a walk begins at
    /// or before every place that is claimable and that no walk in progress has seen.
    #[test]
    fn no_claimable_place_lies_before_the_cursor(steps in prop::collection::vec((0..4u8, 1..100i64), 1..200)) {
        let mut claims = with_cursor_at(1, 10 * SECOND);
        let (mut free, mut walks): (std::collections::BTreeSet<i64>, Vec<Walk>) = Default::default();
        for (step, due) in steps {
            match step {
                0 => {
                    free.insert(due);
                    claims.lower(&queue(), 0, at(due));
                }
                1 => {
                    let walk = claims.begin_walk(&queue(), 0, 10 * SECOND);
                    prop_assert!(free.first().is_none_or(|first| walk.from <= at(*first)), "{walk:?} {free:?}");
                    walks.push(walk);
                }
                2 => { free.remove(&due); }
                _ => if let Some(walk) = walks.pop() {
                    // It looks now: the first that is free is where it stops.
                    let to = free.iter().find(|due| at(**due) >= walk.from).map_or(at(100), |due| at(*due));
                    claims.end_walk(&queue(), &walk, to, Point::NEVER, 10 * SECOND);
                }
            }
        }
    }
}
