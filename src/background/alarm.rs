//! Deferred jobs that fall due: their workers are woken on time, without a poll.

use super::host::{AFTER_FAILURE, Duties, Pause};
use crate::job::wake::wake;
use crate::pg::Time;
use crate::pg::spi::Parameter;
use crate::shmem::memory;
use crate::{pg, statement};

/// The least time between two looks, microseconds.
const APART: Time = 2_000;
/// Looks take at most one part in so many of the time.
const SHARE: Time = 10;
/// Some jobs may wait behind a limit of the answer: enough to wake everybody who waits.
const MANY: usize = 1000;

/// Wakes the workers of jobs that fell due. Returns when the next one does.
pub fn run(duties: &mut Duties, now: Time) -> Option<Time> {
    let relation = duties.relation;
    let next = memory::read(|claims| claims.database(relation).map_or(0, |of| of.next_due)).unwrap_or(0);
    if next > now {
        return (next < Time::MAX).then_some(next);
    }
    if let Some(until) = duties.alarmed.lasts(now) {
        return Some(until);
    }
    let since = memory::change(|claims| claims.begin_alarm(relation, now)).unwrap_or(now);
    let mut next = Time::MAX;
    let looked = duties.in_transaction(|| {
        let parameters = [Parameter::time(since), Parameter::time(now)];
        let fell_due: Vec<(String, Option<Time>)> = statement::DUE_JOBS.run(&parameters, |rows| {
            Ok(rows
                .iter()
                .filter_map(|row| {
                    next = next.min(row.time(3).unwrap_or(Time::MAX));
                    Some((row.text(1)?, row.time(2)))
                })
                .collect())
        })?;
        fell_due
            .iter()
            .filter_map(|(entrypoint, due)| Some((entrypoint, (*due)?)))
            .try_for_each(|(entrypoint, due)| wake(relation, entrypoint, due, MANY))
    });
    if !looked {
        memory::change(|claims| claims.alarm_failed(relation));
        duties.alarmed = Pause::of(now, AFTER_FAILURE);
        return duties.alarmed.lasts(now);
    }
    let cost = pg::now().saturating_sub(now);
    duties.alarmed = Pause::of(now, APART.max(cost.saturating_mul(SHARE)));
    memory::change(|claims| claims.end_alarm(relation, now, next));
    memory::read(|claims| claims.database(relation).map(|of| of.next_due)).flatten().filter(|due| *due < Time::MAX)
}
