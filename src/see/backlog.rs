//! How many jobs wait, counted to a bound.
//!
//! A count begins where memory knows that the live jobs begin, so it does not walk over dead rows, and it ends at its
//! bound, so it does not grow with the queue.

use crate::error::Error;
use crate::pg::spi::{Parameter, Row};
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgqueuer_core::claims::{Name, Point, QueueKey, Relation};
use std::collections::BTreeSet;

/// How many priorities that memory does not know are looked for.
const PRIORITIES_MOST: i64 = 1000;

/// The jobs of one priority of an entrypoint.
#[derive(Debug, Clone)]
pub struct Lane {
    /// The entrypoint.
    pub entrypoint: String,
    /// The priority.
    pub priority: i32,
    /// Before this nothing is queued.
    pub from: Point,
    /// Up to here is counted, without this.
    pub to: Point,
}

/// What was counted.
#[derive(Debug, Clone, Copy)]
pub struct Count {
    /// Jobs that are due and that nobody holds; the bound if there are more.
    pub jobs: i64,
    /// When the first of them fell due.
    pub first: Option<Time>,
}

/// The priorities of entrypoints that jobs have or had lately, those that are due by `now`.
///
/// # Errors
/// [`Error::Broken`].
pub fn lanes(relation: Relation, entrypoints: &[String], now: Time) -> Result<Vec<Lane>, Error> {
    let to = Point { due: now, id: i64::MAX };
    let mut lanes = vec![];
    let (mut names, mut above, mut below) = (vec![], vec![], vec![]);
    for entrypoint in entrypoints {
        let mut bound = i64::from(i32::MAX) + 1;
        for (priority, from) in known(relation, entrypoint) {
            names.push(entrypoint.clone());
            above.push(bound);
            below.push(i64::from(priority));
            bound = i64::from(priority);
            lanes.push(Lane { entrypoint: entrypoint.clone(), priority, from, to });
        }
        names.push(entrypoint.clone());
        above.push(bound);
        below.push(i64::from(i32::MIN) - 1);
    }
    let parameters = [Parameter::from(names), above.into(), below.into(), PRIORITIES_MOST.into()];
    statement::PRIORITIES.run(&parameters, |rows| {
        let found = rows.iter().filter_map(|row| Some((row.text(1)?, row.int(2)?)));
        lanes.extend(found.map(|(entrypoint, priority)| Lane { entrypoint, priority, from: Point::FIRST, to }));
        Ok(())
    })?;
    Ok(lanes)
}

/// The priorities that memory knows, highest first.
fn known(relation: Relation, entrypoint: &str) -> Vec<(i32, Point)> {
    let queue = QueueKey { relation, name: Name::of(&[entrypoint]) };
    let Some((known, count)) = memory::read(|claims| claims.known_lanes(&queue)) else { return vec![] };
    let mut known: Vec<(i32, Point)> = known.into_iter().take(count).collect();
    known.sort_unstable_by_key(|(priority, _)| std::cmp::Reverse(*priority));
    known
}

/// Counts each lane to its bound, without the jobs in `held`.
///
/// # Errors
/// [`Error::Broken`].
pub fn count(lanes: &[Lane], bounds: Vec<i64>, held: &[i64]) -> Result<Vec<Count>, Error> {
    let due = |point: fn(&Lane) -> Point| Parameter::times(lanes.iter().map(|lane| Some(point(lane).due)));
    let id = |point: fn(&Lane) -> Point| lanes.iter().map(|lane| point(lane).id).collect::<Vec<_>>();
    let parameters = [
        lanes.iter().map(|lane| lane.entrypoint.clone()).collect::<Vec<_>>().into(),
        lanes.iter().map(|lane| lane.priority).collect::<Vec<_>>().into(),
        due(|lane| lane.from),
        id(|lane| lane.from).into(),
        due(|lane| lane.to),
        id(|lane| lane.to).into(),
        bounds.into(),
        held.to_vec().into(),
    ];
    let mut counts = vec![Count { jobs: 0, first: None }; lanes.len()];
    statement::BACKLOG.run(&parameters, |rows| {
        for row in rows.iter() {
            if let Some(count) = place(&row).and_then(|place| counts.get_mut(place)) {
                *count = Count { jobs: row.big(2).unwrap_or(0), first: row.time(3) };
            }
        }
        Ok(())
    })?;
    Ok(counts)
}

/// What was counted of those that are not due.
#[derive(Debug, Clone, Copy, Default)]
pub struct Aside {
    /// Deferred jobs; the bound if there are more.
    pub deferred: i64,
    /// Jobs held as failed; the bound if there are more.
    pub held: i64,
}

/// Counts the jobs of each lane that are not due by `now`, to its bounds.
///
/// # Errors
/// [`Error::Broken`].
pub fn count_aside(lanes: &[Lane], bounds: &[Aside], now: Time) -> Result<Vec<Aside>, Error> {
    let parameters = [
        lanes.iter().map(|lane| lane.entrypoint.clone()).collect::<Vec<_>>().into(),
        lanes.iter().map(|lane| lane.priority).collect::<Vec<_>>().into(),
        bounds.iter().map(|bound| bound.deferred).collect::<Vec<_>>().into(),
        bounds.iter().map(|bound| bound.held).collect::<Vec<_>>().into(),
        Parameter::time(now),
    ];
    let mut counts = vec![Aside::default(); lanes.len()];
    statement::SET_ASIDE.run(&parameters, |rows| {
        for row in rows.iter() {
            let [deferred, ever, held] = [2, 3, 4].map(|column| row.big(column).unwrap_or(0));
            if let Some(count) = place(&row).and_then(|place| counts.get_mut(place)) {
                *count = Aside { deferred: deferred.saturating_add(ever), held };
            }
        }
        Ok(())
    })?;
    Ok(counts)
}

/// The entrypoints that jobs have and that are not among `known`, up to `most`.
///
/// # Errors
/// [`Error::Broken`].
pub fn unknown_names(known: &BTreeSet<String>, most: i64) -> Result<Vec<String>, Error> {
    // Nothing is before the first, and no name of 255 bytes behind the last.
    let (first, last) = (String::new(), "\u{10FFFF}".repeat(64));
    let below: Vec<String> = [&first].into_iter().chain(known).cloned().collect();
    let above: Vec<String> = known.iter().chain([&last]).cloned().collect();
    statement::NAMES
        .run(&[below.into(), above.into(), most.into()], |rows| Ok(rows.iter().filter_map(|row| row.text(1)).collect()))
}

/// The lane that a row of a count belongs to.
fn place(row: &Row) -> Option<usize> {
    row.big(1).and_then(|place| usize::try_from(place - 1).ok())
}

/// How many jobs of an entrypoint come before a place, counted to `bound`.
///
/// # Errors
/// [`Error::Broken`].
pub fn ahead(
    relation: Relation,
    entrypoint: &str,
    (priority, place): (i32, Point),
    held: &[i64],
    bound: i64,
) -> Result<i64, Error> {
    let mut lanes = lanes(relation, &[entrypoint.to_owned()], pg::now())?;
    lanes.retain(|lane| lane.priority >= priority);
    lanes.iter_mut().filter(|lane| lane.priority == priority).for_each(|lane| lane.to = place);
    let bounds = vec![bound; lanes.len()];
    Ok(count(&lanes, bounds, held)?.iter().map(|count| count.jobs).sum::<i64>().min(bound))
}
