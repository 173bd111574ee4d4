//! Schedules whose tick has come.

use super::host::{AFTER_FAILURE, Duties, Pause};
use crate::installation;
use crate::pg::service::Failure;
use crate::pg::{self, Time};
use crate::schedule::fire::{Fired, Wanted, fire, say_why, start_again};
use crate::shmem::memory;

/// How many schedules one transaction fires, at most: some milliseconds, in which the other duties wait.
const SLICE: usize = 250;
/// How long a schedule rests whose tick failed, microseconds.
const REST: Time = 20_000_000;
/// When a tick is tried again whose schedule somebody is changing, microseconds.
const LOCKED: Time = 100_000;

/// What the scheduler keeps in mind.
pub struct Ticks {
    /// After a failure.
    paused: Pause,
    /// Schedules whose ticks failed, and until when they rest.
    resting: Vec<(i64, Time)>,
    /// How many are fired at once: fewer after a failure.
    slice: usize,
    /// How often in a row one failed for a reason that passes.
    in_a_row: u32,
}

impl Default for Ticks {
    fn default() -> Self {
        Self { paused: Pause::default(), resting: vec![], slice: SLICE, in_a_row: 0 }
    }
}

/// Fires. Returns when it is needed next.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    let of = memory::read(|claims| claims.database(relation).map(|of| (of.next_tick, of.served_since))).flatten()?;
    let (next, alive_since) = of;
    if next > now {
        return (next < Time::MAX).then_some(next);
    }
    if let Some(until) = duties.ticks.paused.lasts(now) {
        return Some(until);
    }
    memory::change(|claims| claims.begin_ticks(relation));
    let next = match look(duties, now, alive_since, next == 0) {
        Some(next) => next,
        None => {
            duties.ticks.paused = Pause::of(now, AFTER_FAILURE);
            now.saturating_add(AFTER_FAILURE)
        }
    };
    memory::change(|claims| claims.end_ticks(relation, next));
    memory::read(|claims| claims.database(relation).map(|of| of.next_tick)).flatten().filter(|next| *next < Time::MAX)
}

/// Fires a slice. Returns when the next schedule ticks; `None` where that failed.
fn look(duties: &mut Duties, now: Time, alive_since: Time, anew: bool) -> Option<Time> {
    let relation = duties.relation;
    // What somebody has changed may do now.
    duties.ticks.resting.retain(|(_, until)| *until > now && !anew);
    let left_out: Vec<i64> = duties.ticks.resting.iter().map(|(id, _)| *id).collect();
    let rested = duties.ticks.resting.iter().map(|(_, until)| *until).min().unwrap_or(Time::MAX);
    // The clock may have been set since this round began.
    let was_set = memory::change(|claims| claims.take_clock_was_set(relation)) == Some(true);
    let now = if was_set { pg::now() } else { now };
    // In a transaction of its own: one schedule that cannot be fired must not undo it.
    if was_set && !duties.in_transaction(|| start_again(now)) {
        memory::change(|claims| claims.clock_was_not_seen(relation));
        return None;
    }
    let most = duties.ticks.slice;
    let (mut fired, mut tried) = (None, vec![]);
    let looked = duties.attempt(|| {
        if !installation::settle(relation, anew)? {
            return Ok(());
        }
        let wanted = Wanted { now, alive_since, most, left_out: &left_out };
        fired = Some(fire(relation, &wanted, &mut tried)?);
        Ok(())
    });
    if let Err(why) = looked {
        return put_off(duties, &tried, &why, now);
    }
    (duties.ticks.slice, duties.ticks.in_a_row) = ((duties.ticks.slice * 2).min(SLICE), 0);
    match fired {
        None => Some(Time::MAX),
        // Somebody has locked them.
        Some(Fired { schedules: 0, next }) if next <= now => Some(now.saturating_add(LOCKED).min(rested)),
        Some(Fired { next, .. }) => Some(next.min(rested)),
    }
}

/// One schedule that cannot be fired must not keep back the others: it is looked for by halves, says why, and rests; shortly,
/// where the reason passes by itself, as a lock. Returns when to go on; `None` where it is no fault of theirs: as when two in
/// a row meet a lock.
fn put_off(duties: &mut Duties, tried: &[i64], why: &Failure, now: Time) -> Option<Time> {
    match tried {
        [] => return None,
        [one] => {
            let note = format!("its job could not be enqueued: {}", why.message);
            duties.in_transaction(|| say_why(*one, &note));
            duties.ticks.resting.push((*one, now.saturating_add(if why.passes { AFTER_FAILURE } else { REST })));
            duties.ticks.in_a_row = if why.passes { duties.ticks.in_a_row + 1 } else { 0 };
            if duties.ticks.in_a_row > 1 {
                duties.ticks.in_a_row = 0;
                return None;
            }
        }
        _ => duties.ticks.slice = (tried.len() / 2).max(1),
    }
    Some(now)
}
