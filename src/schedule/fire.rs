//! Ticks that have come: their jobs are enqueued and the ticks taken, in one transaction. Called by the scheduler only.
//!
//! The rows of the schedules are locked from the look to the commit, and whoever holds one of them is passed over, so no
//! tick makes two jobs. The commit waits as the server's `synchronous_commit` says: a worker must not run a job whose tick
//! a standby knows nothing of.

use super::{CATCH_UP, next_of};
use crate::error::Error;
use crate::job::wake::{Starts, enqueued};
use crate::pg::spi::{Parameter, Row};
use crate::pg::{self, Time};
use crate::statement;
use pgqueuer_core::claims::Relation;
use pgqueuer_core::cron::{CatchUp, Cron, Due, Zone, has_gone_back};
use std::collections::BTreeMap;

/// Once so many jobs are to be enqueued no other schedule is fired in the same transaction.
const JOBS: usize = 1000;

/// A schedule whose tick has come.
struct Schedule {
    id: i64,
    cron: String,
    timezone: String,
    entrypoint: String,
    catch_up: CatchUp,
    overlap: bool,
    next_tick: Time,
    /// Its last job, if that is still queued or picked.
    live_job: Option<i64>,
}

/// What becomes of a schedule.
pub struct Advance {
    /// Which.
    pub id: i64,
    /// Its next tick; `None` where it ticks no more, or is paused.
    pub next_tick: Option<Time>,
    /// The tick that it took; `None` for none.
    pub last_tick: Option<Time>,
    /// The job of that; `None` for none.
    pub last_job: Option<i64>,
    /// Why a tick enqueued nothing.
    pub note: Option<String>,
}

/// How one look went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fired {
    /// How many schedules ticked.
    pub schedules: usize,
    /// When the next one does; `Time::MAX` if none will.
    pub next: Time,
}

/// What is to be fired.
pub struct Wanted<'a> {
    /// Ticks up to and including this time.
    pub now: Time,
    /// Ticks since then were not missed.
    pub alive_since: Time,
    /// At most so many schedules,
    pub most: usize,
    /// but these.
    pub left_out: &'a [i64],
}

/// Fires what is due. `tried` gets the ids of the schedules, also where this fails.
///
/// # Errors
/// [`Error::Broken`].
pub fn fire(relation: Relation, wanted: &Wanted<'_>, tried: &mut Vec<i64>) -> Result<Fired, Error> {
    let &Wanted { now, alive_since, most, left_out } = wanted;
    let due = statement::DUE_SCHEDULES
        .run(&[Parameter::time(now), left_out.to_vec().into(), (most as i64).into()], |rows| {
            Ok(rows.iter().filter_map(|row| Schedule::read(&row)).collect::<Vec<_>>())
        })?;
    let (mut decided, mut jobs): (Vec<(Vec<Time>, Advance)>, usize) = (vec![], 0);
    for schedule in due.iter() {
        // The rest of them has its turn with the next look.
        if jobs >= JOBS {
            break;
        }
        let one = schedule.decide(now, alive_since);
        jobs += one.0.len();
        tried.push(schedule.id);
        decided.push(one);
    }
    let schedules = decided.len();
    if schedules > 0 {
        pg::commit_as_configured();
        enqueue_and_advance(relation, now, &due, decided)?;
    }
    let next =
        statement::NEXT_TICK.run(&[left_out.to_vec().into()], |rows| Ok(rows.first().and_then(|row| row.time(1))))?;
    Ok(Fired { schedules, next: next.unwrap_or(Time::MAX) })
}

impl Schedule {
    fn read(row: &Row) -> Option<Self> {
        let word = row.text(5)?;
        Some(Self {
            id: row.big(1)?,
            cron: row.text(2)?,
            timezone: row.text(3)?,
            entrypoint: row.text(4)?,
            // What somebody has written past the functions counts as the default.
            catch_up: CATCH_UP.iter().find(|(known, _)| *known == word).map_or(CatchUp::One, |(_, catch_up)| *catch_up),
            overlap: row.is(6),
            next_tick: row.time(7)?,
            live_job: row.big(8).filter(|_| row.is(9)),
        })
    }

    /// Which ticks get a job, and how it goes on.
    fn decide(&self, now: Time, alive_since: Time) -> (Vec<Time>, Advance) {
        let advance =
            |due: &Due, note| Advance { id: self.id, next_tick: due.next, last_tick: due.last, last_job: None, note };
        let (Ok(cron), Some(zone)) = (Cron::parse(&self.cron), Zone::parse(&self.timezone)) else {
            let note = Some("its cron expression or its time zone cannot be read".to_owned());
            return (vec![], Advance { id: self.id, next_tick: None, last_tick: None, last_job: None, note });
        };
        let mut due = cron.due(zone, self.next_tick, now, alive_since, self.catch_up);
        if due.last.is_none() {
            // Somebody has set the time by hand, or the rules of the zone have changed.
            (due.fire, due.last) = (vec![self.next_tick], Some(self.next_tick));
        }
        if let (Some(job), false) = (self.live_job, self.overlap) {
            return (vec![], advance(&due, Some(format!("its last job, {job}, was not done yet"))));
        }
        let mut fired = std::mem::take(&mut due.fire);
        let mut overlapping = 0;
        if !self.overlap && self.catch_up != CatchUp::All {
            // The first of them would be live when the next one comes.
            overlapping = fired.len().saturating_sub(1);
            fired.drain(..overlapping);
        }
        let note = match (due.dropped, self.catch_up) {
            (0, _) if overlapping > 0 => Some(format!("the last job stands for {overlapping} late ticks, too")),
            (0, _) => None,
            (many, CatchUp::One) => Some(format!("the last job stands for {many} missed ticks, too")),
            (many, CatchUp::Skip | CatchUp::All) => Some(format!("{many} ticks were missed and not made up for")),
        };
        (fired, advance(&due, note))
    }
}

fn enqueue_and_advance(
    relation: Relation,
    now: Time,
    due: &[Schedule],
    mut decided: Vec<(Vec<Time>, Advance)>,
) -> Result<(), Error> {
    let count = decided.iter().map(|(ticks, _)| ticks.len()).sum();
    let mut ids = pg::next_values(pg::relation(c"job_id_seq")?, count).into_iter();
    let (mut jobs, mut schedules, mut ticks) = (vec![], vec![], vec![]);
    let mut arrived: BTreeMap<&str, usize> = BTreeMap::new();
    for (schedule, (fired, advance)) in due.iter().zip(&mut decided) {
        for (tick, job) in fired.iter().zip(ids.by_ref()) {
            jobs.push(job);
            schedules.push(schedule.id);
            ticks.push(Some(*tick));
            advance.last_job = Some(job);
            *arrived.entry(&schedule.entrypoint).or_default() += 1;
        }
    }
    if !jobs.is_empty() {
        let parameters = [Parameter::time(now), jobs.into(), schedules.into(), Parameter::times(ticks.into_iter())];
        statement::FIRE.run(&parameters, |_| Ok(()))?;
    }
    advance(decided.iter().map(|(_, advance)| advance))?;
    arrived.into_iter().try_for_each(|(entrypoint, jobs)| enqueued(relation, entrypoint, Starts::at(now), jobs, jobs))
}

/// Writes down what has become of schedules, whose rows are locked.
///
/// # Errors
/// [`Error::Broken`].
pub fn advance<'a>(all: impl Iterator<Item = &'a Advance> + Clone) -> Result<(), Error> {
    statement::ADVANCE.run(
        &[
            all.clone().map(|one| one.id).collect::<Vec<_>>().into(),
            Parameter::times(all.clone().map(|one| one.next_tick)),
            Parameter::times(all.clone().map(|one| one.last_tick)),
            all.clone().map(|one| one.last_job).collect::<Vec<_>>().into(),
            all.map(|one| one.note.as_deref()).collect::<Vec<_>>().into(),
        ],
        |_| Ok(()),
    )
}

/// The clock may have been set back: schedules that would be silent until it has caught up start again from `now`.
///
/// # Errors
/// [`Error::Broken`].
pub fn start_again(now: Time) -> Result<(), Error> {
    let ahead: Vec<Advance> = statement::AHEAD_OF_CLOCK.run(&[Parameter::time(now)], |rows| {
        let again = |row: Row| {
            let (cron, timezone, next_tick) = (row.text(2)?, row.text(3)?, row.time(5)?);
            let first = next_of(&cron, &timezone, now)?;
            // What has ticked is not repeated; one that has not since then waits for its first tick.
            let back = match row.time(4).filter(|last_tick| *last_tick > now) {
                Some(last_tick) => has_gone_back(last_tick, next_tick, now),
                // As if it had ticked one interval before.
                None => next_of(&cron, &timezone, first)
                    .is_none_or(|second| has_gone_back(next_tick.saturating_sub(second - first), next_tick, now)),
            };
            (back && next_tick > first).then_some(Advance {
                id: row.big(1)?,
                next_tick: Some(first),
                last_tick: row.time(4).map(|last_tick| last_tick.min(now)),
                last_job: None,
                note: Some("the clock was set back: it ticks from then on".to_owned()),
            })
        };
        Ok(rows.iter().filter_map(again).collect())
    })?;
    if ahead.is_empty() { Ok(()) } else { advance(ahead.iter()) }
}

/// Writes down why a schedule's tick was not fired.
///
/// # Errors
/// [`Error::Broken`].
pub fn say_why(id: i64, note: &str) -> Result<(), Error> {
    statement::NOTE.run(&[id.into(), note.into()], |_| Ok(()))
}
