//! Tests of the checker: it finds nothing in a history that is true, and each fault in one that was forged.

use super::check::{Rule, faults};
use super::{Cancel, Claim, End, Enqueue, Fate, History, Limits, Loss, Moment, Outcome, Row};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use std::time::Duration;

const SEEDS: u64 = 50;

/// A queue that does one thing after another, so that every limit holds.
struct Queue {
    random: StdRng,
    now: Moment,
    history: History,
}

impl Queue {
    fn tick(&mut self) -> Moment {
        self.now += Duration::from_millis(self.random.random_range(1..5));
        self.now
    }

    fn enqueue(&mut self, job: i64, fate: Fate) {
        let key = (job % 2 == 0).then(|| "key".to_owned());
        let answered = self.tick();
        self.history.enqueues.push(Enqueue { job, entrypoint: "fetch", key, answered, fate });
    }

    /// One attempt, which ends in one of the ways that lead to another or to none.
    fn attempt(&mut self, job: i64, attempt: i32, outcome: Outcome) {
        let worker = self.random.random_range(1..9);
        let (sent, answered) = (self.tick(), self.tick());
        let until = self.tick();
        let loss = if outcome == Outcome::Released { Loss::Surely } else { Loss::No };
        let claim = Claim { job, attempt, worker, lease: None, sent, answered, until, loss, undone: false };
        self.history.claims.push(claim);
        let end = self.tick();
        if outcome == Outcome::Canceled {
            self.history.cancels.push(Cancel { job, outcome, sent: until, answered: end, fate: Fate::Yes });
        } else if outcome != Outcome::Released {
            let outcomes = vec![outcome];
            let end = End { job, attempt, worker, outcomes, sent: until, answered: end, fate: Fate::Yes };
            self.history.ends.push(end);
        }
        let ran = Some(end - answered);
        self.history.log.push(Row { job, attempt, worker: Some(worker), outcome, ran });
        if outcome == Outcome::Failed {
            self.history.left.push((job, true));
        }
    }

    /// A claim that is given back, and a call of somebody who holds nothing.
    fn without_effect(&mut self, job: i64, attempt: i32) {
        let (sent, answered, until, after) = (self.tick(), self.tick(), self.tick(), self.tick());
        let (worker, lease, loss) = (77, Some(Duration::from_secs(2)), Loss::No);
        let undone = self.random.random_bool(0.5);
        self.history.claims.push(Claim { job, attempt, worker, lease, sent, answered, until, loss, undone });
        if !undone {
            let (outcomes, fate) = (vec![], Fate::Yes);
            self.history.ends.push(End { job, attempt, worker, outcomes, sent: until, answered: after, fate });
        }
        let (sent, answered, outcomes) = (self.tick(), self.tick(), vec![Outcome::Successful]);
        self.history.ends.push(End { job, attempt, worker, outcomes, sent, answered, fate: Fate::No });
    }
}

/// A history of forty jobs that can be true. Job 0 is enqueued and rolled back.
fn true_history(seed: u64) -> History {
    let random = StdRng::seed_from_u64(seed);
    let mut queue = Queue { random, now: Moment::ZERO, history: History::default() };
    let limits = Limits { concurrency: 1, rate: 3, period: Duration::from_millis(10) };
    queue.history.limits.insert("fetch", limits);
    queue.enqueue(0, Fate::No);
    (1..=40).for_each(|job| queue.enqueue(job, Fate::Yes));
    for job in 1..=40 {
        let again = queue.random.random_range(0..4);
        for attempt in 0..again {
            if queue.random.random_bool(0.3) {
                queue.without_effect(job, attempt);
            }
            let outcome = if queue.random.random_bool(0.5) { Outcome::Retried } else { Outcome::Released };
            queue.attempt(job, attempt, outcome);
        }
        let last = [Outcome::Successful, Outcome::Exception, Outcome::Failed, Outcome::Canceled];
        let last = *last.choose(&mut queue.random).unwrap();
        queue.attempt(job, again, last);
    }
    queue.history
}

/// Forges many histories, each at another place, and asks for the rule that must be found broken.
fn finds(rule: Rule, forge: impl Fn(&mut History, &mut StdRng)) {
    for seed in 0..SEEDS {
        let mut history = true_history(seed);
        forge(&mut history, &mut StdRng::seed_from_u64(seed));
        let found = faults(&history);
        assert!(found.iter().any(|fault| fault.rule == rule), "seed {seed}: {rule:?} not among {found:?}");
    }
}

/// A place in a list of those that are fit.
fn place_of<T>(list: &[T], random: &mut StdRng, fit: impl Fn(&T) -> bool) -> usize {
    let fit: Vec<usize> = (0..list.len()).filter(|place| fit(&list[*place])).collect();
    *fit.choose(random).expect("there is one in every history")
}

#[test]
fn nothing_is_wrong_with_a_true_history() {
    for seed in 0..SEEDS {
        let found = faults(&true_history(seed));
        assert!(found.is_empty(), "seed {seed}: {found:?}");
    }
}

#[test]
fn what_nobody_enqueued_is_found() {
    finds(Rule::FromNowhere, |history, _| history.left.push((0, true)));
    finds(Rule::FromNowhere, |history, random| {
        let place = random.random_range(0..history.log.len());
        history.log[place].job = 4711;
    });
}

#[test]
fn a_job_without_an_end_is_found() {
    finds(Rule::NotEnded, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Successful);
        history.log.remove(place);
    });
    finds(Rule::NotEnded, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Canceled);
        let row = history.log.remove(place);
        history.left.push((row.job, false));
    });
    finds(Rule::NotEnded, |history, random| {
        let place = random.random_range(0..history.left.len());
        history.left.remove(place);
    });
}

#[test]
fn a_second_end_is_found() {
    finds(Rule::EndedTwice, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Successful);
        history.log.push(history.log[place].clone());
    });
    finds(Rule::EndedTwice, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Exception);
        history.left.push((history.log[place].job, true));
    });
    finds(Rule::EndedTwice, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Successful);
        let mut row = history.log[place].clone();
        (row.attempt, row.outcome) = (row.attempt + 1, Outcome::Released);
        history.log.push(row);
    });
}

#[test]
fn a_gap_or_a_double_among_the_attempts_is_found() {
    finds(Rule::Attempts, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Retried);
        history.log.remove(place);
    });
    finds(Rule::Attempts, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Released);
        history.log.push(history.log[place].clone());
    });
}

#[test]
fn an_end_that_nobody_asked_for_is_found() {
    finds(Rule::Unasked, |history, random| {
        let place = place_of(&history.ends, random, |end| end.fate == Fate::Yes && !end.outcomes.is_empty());
        history.ends.remove(place);
    });
    finds(Rule::Unasked, |history, random| {
        let place = place_of(&history.ends, random, |end| end.fate == Fate::Yes && !end.outcomes.is_empty());
        history.ends[place].fate = Fate::No;
    });
    finds(Rule::Unasked, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.loss == Loss::Surely);
        history.claims[place].loss = Loss::No;
    });
    finds(Rule::Unasked, |history, _| {
        history.cancels.pop();
    });
}

#[test]
fn a_loss_of_what_nobody_was_handed_out_is_found_unless_an_answer_was_lost() {
    finds(Rule::Unasked, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.loss == Loss::Surely);
        history.claims.remove(place);
    });
    let mut history = true_history(1);
    let place = history.claims.iter().position(|claim| claim.loss == Loss::Surely).unwrap();
    let claim = history.claims.remove(place);
    history.unanswered = vec![Some(claim.worker)];
    assert!(faults(&history).is_empty());
    // A session that never heard its name.
    history.log.iter_mut().filter(|row| (row.job, row.attempt) == (claim.job, claim.attempt)).for_each(|row| {
        row.worker = Some(4711);
    });
    assert!(!faults(&history).is_empty());
    history.unanswered = vec![None];
    assert!(faults(&history).is_empty());
}

#[test]
fn a_lease_that_was_cut_short_is_found() {
    finds(Rule::Unasked, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.loss == Loss::Surely);
        history.claims[place].loss = Loss::No;
        history.claims[place].lease = Some(Duration::from_secs(2));
    });
}

#[test]
fn an_answer_that_the_log_does_not_know_is_found() {
    finds(Rule::Unlogged, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Successful);
        history.log[place].outcome = Outcome::Exception;
    });
    finds(Rule::Unlogged, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Successful);
        history.log[place].worker = Some(99);
    });
    finds(Rule::Unlogged, |history, random| {
        let place = place_of(&history.log, random, |row| row.outcome == Outcome::Canceled);
        history.log[place].outcome = Outcome::Deleted;
    });
}

#[test]
fn an_attempt_that_was_not_counted_is_found() {
    finds(Rule::Uncounted, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.lease.is_some());
        history.claims[place].loss = Loss::Surely;
    });
}

#[test]
fn two_claims_on_one_job_at_one_time_are_found() {
    finds(Rule::Overlap, |history, random| {
        let place = random.random_range(0..history.claims.len());
        let mut other = history.claims[place].clone();
        (other.worker, other.answered) = (99, other.until - Duration::from_nanos(1));
        history.claims.push(other);
    });
    finds(Rule::Overlap, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.attempt == 1) - 1;
        history.claims[place].until += Duration::from_secs(1);
    });
}

#[test]
fn a_claim_after_the_end_is_found() {
    finds(Rule::AfterEnd, |history, random| {
        let place = place_of(&history.ends, random, |end| end.fate == Fate::Yes && !end.outcomes.is_empty());
        let end = history.ends[place].clone();
        let place = place_of(&history.claims, random, |claim| claim.job == end.job && claim.attempt == end.attempt);
        let mut late = history.claims[place].clone();
        late.sent = end.answered + Duration::from_nanos(1);
        (late.answered, late.until) = (late.sent, late.sent);
        history.claims.push(late);
    });
}

#[test]
fn a_refusal_of_what_is_held_is_found() {
    finds(Rule::Refused, |history, random| {
        let place = place_of(&history.ends, random, |end| end.fate == Fate::No);
        let end = history.ends[place].clone();
        let mine = |claim: &Claim| claim.job == end.job && claim.attempt == end.attempt && claim.worker == end.worker;
        let place = place_of(&history.claims, random, mine);
        history.claims[place].until = end.answered + Duration::from_nanos(1);
    });
}

#[test]
fn a_claim_beyond_the_limit_is_found() {
    finds(Rule::Concurrency, |history, random| {
        let place = random.random_range(1..history.claims.len());
        let before = history.claims[place - 1].clone();
        history.claims[place].answered = before.until - Duration::from_nanos(1);
    });
}

#[test]
fn two_jobs_of_one_key_at_one_time_are_found() {
    finds(Rule::KeyTwice, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.job % 2 == 0 && claim.job < 39);
        let next = history.claims[place].job + 2;
        let next = history.claims.iter().position(|claim| claim.job == next).unwrap();
        history.claims[next].answered = history.claims[place].until - Duration::from_nanos(1);
    });
}

#[test]
fn a_job_that_overtakes_another_of_its_key_is_found() {
    finds(Rule::KeyOrder, |history, random| {
        let place = place_of(&history.claims, random, |claim| claim.job % 2 == 0 && claim.job > 2);
        let mut early = history.claims[place].clone();
        early.sent = history.enqueues.last().unwrap().answered + Duration::from_nanos(1);
        (early.answered, early.until) = (early.sent, early.sent);
        history.claims.push(early);
    });
}

#[test]
fn a_claim_beyond_the_rate_is_found() {
    finds(Rule::Rate, |history, random| {
        let place = place_of(&history.claims, random, |claim| !claim.undone && claim.loss == Loss::No);
        let more = std::iter::repeat_n(history.claims[place].clone(), 3);
        history.claims.extend(more);
    });
}
