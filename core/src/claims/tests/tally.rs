//! What is counted of each entrypoint, and of those that find no room.

use super::*;

/// Claims that remember so many entrypoints.
fn of_room(heads: usize) -> Claims<'static> {
    let sizing = Sizing { claims: 8, sessions: 4, named: 4, rates: 2, heads, databases: 2 };
    let mut claims = Claims::view(sizing, &mut Heap).unwrap();
    claims.start(7);
    claims
}

fn named(name: &str) -> QueueKey {
    QueueKey { relation: RELATION, name: Name::of(&[name]) }
}

fn enqueue(claims: &mut Claims<'_>, name: &str, jobs: u64) {
    if !claims.knows_entrypoint(&named(name), false) {
        claims.know_entrypoint(&named(name), name.as_bytes());
        assert!(claims.knows_entrypoint(&named(name), false));
    }
    claims.count_enqueued(&named(name), jobs);
}

fn tallies(claims: &Claims<'_>, relation: Relation) -> Vec<Tally> {
    let (mut all, mut from) = (vec![], Some(0));
    while let Some(slot) = from {
        let (some, next) = claims.some_tallies(relation, slot, 3);
        all.extend(some.copied());
        from = next;
    }
    all
}

fn enqueued(claims: &Claims<'_>) -> Vec<(String, u64)> {
    let name = |tally: &Tally| String::from_utf8(tally.name().to_vec()).unwrap();
    let mut counts: Vec<_> = tallies(claims, RELATION).iter().map(|tally| (name(tally), tally.enqueued)).collect();
    counts.sort();
    counts
}

#[test]
fn each_entrypoint_is_counted_with_its_name() {
    let mut claims = of_room(16);
    enqueue(&mut claims, "a", 2);
    enqueue(&mut claims, "b", 3);
    enqueue(&mut claims, "a", 5);
    assert_eq!(enqueued(&claims), [("a".to_owned(), 7), ("b".to_owned(), 3)]);
    assert_eq!(tallies(&claims, OTHER).len(), 0);
    claims.forget_some_tallies(RELATION, 0, 100);
    assert_eq!(enqueued(&claims), []);
}

#[test]
fn those_that_find_no_room_are_counted_together_and_nothing_is_lost() {
    let mut claims = of_room(16);
    for number in 0..40 {
        enqueue(&mut claims, &format!("{number:02}"), 1);
    }
    enqueue(&mut claims, "00", 1);
    let counts = enqueued(&claims);
    assert_eq!(counts.len(), 16);
    assert_eq!(counts[0], (String::new(), 25));
    assert_eq!(counts[1], ("00".to_owned(), 2));
    assert_eq!(counts.iter().map(|(_, jobs)| jobs).sum::<u64>(), 41);
}

#[test]
fn who_names_many_takes_at_most_half_of_the_room() {
    let mut claims = of_room(16);
    for number in 0..40 {
        let name = number.to_string();
        claims.know_channel(&named(&name), b"channel");
        if !claims.ask(&named(&name), 1000) {
            claims.know_asked(&named(&name), name.as_bytes(), 1000);
        }
        assert!(claims.ask(&named(&name), 1000), "nothing is left to be remembered");
    }
    assert_eq!(claims.asked(&named("0")), Asked::At(1000));
    assert_eq!(claims.asked(&named("39")), Asked::Unknown);
    enqueue(&mut claims, "job", 1);
    assert!(enqueued(&claims).contains(&("job".to_owned(), 1)));
    assert_eq!(claims.asked(&named("job")), Asked::Never);
    claims.ask(&named("job"), 2000);
    assert_eq!(claims.asked(&named("job")), Asked::At(2000));
}

#[test]
fn nobody_has_asked_for_what_is_not_known_while_there_is_room() {
    let mut claims = of_room(16);
    assert_eq!(claims.asked(&named("a")), Asked::Never);
    assert!(!claims.ask(&named("a"), 5));
    claims.know_asked(&named("a"), b"a", 5);
    claims.know_channel(&named("a"), b"channel");
    assert!(claims.ask(&named("a"), 6));
    assert_eq!(claims.asked(&named("a")), Asked::At(6));
}

#[test]
fn a_claim_is_counted_when_its_transaction_commits_and_its_end_as_what_it_is() {
    let mut claims = of_room(16);
    claims.know_entrypoint(&named("fetch"), b"fetch");
    let one = |claims: &Claims<'_>| tallies(claims, RELATION)[0];
    let dropped = claims.publish(&request(1, 1)).unwrap();
    claims.roll_back(&job(1), dropped, 0, 1000);
    assert_eq!((one(&claims).claims, one(&claims).wait.sum), (0, 0));
    let number = claims.publish(&request(1, 1)).unwrap();
    claims.keep(&job(1), number, 1000);
    // Due at 100, claimed at 1000.
    assert_eq!((one(&claims).claims, one(&claims).wait.sum, one(&claims).wait.counts[0]), (1, 900, 1));
    let claim = claims.end(&job(1), number).unwrap();
    claims.count_end(RELATION, &claim, Outcome::Failed, 1000 + 7_200_000_000);
    assert!(claims.end(&job(1), number).is_none());
    let tally = one(&claims);
    assert_eq!(tally.ended, [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!((tally.run.sum, tally.run.counts[11]), (7_200_000_000, 1));
    claims.count_ended(&named("fetch"), Outcome::Released, 4);
    assert_eq!(one(&claims).ended, [0, 0, 1, 0, 0, 0, 4]);
}

#[test]
fn outcomes_stand_in_their_order() {
    for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
        assert_eq!(outcome as usize, place);
    }
}
