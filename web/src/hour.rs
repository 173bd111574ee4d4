//! How many jobs ended in each minute of the last hour, from the log. It is read in slices of ten seconds; one that is over
//! is read once and kept, so a busy hour costs no page more than its last seconds.

use crate::app::{App, Shared};
use crate::failure::Result;
use crate::read::{Parameter, rows};
use crate::show::Moment;
use crate::sql;
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use tokio_postgres::types::Type;

/// How many minutes are shown.
pub const MINUTES: i64 = 60;
/// The length of a slice, seconds, as `ended.sql` has it.
const SLICE: i64 = 10;
const SLICES_A_MINUTE: i64 = 60 / SLICE;
/// Commits may come late: a slice counts as over after so many seconds more.
const GRACE: i64 = 10;
/// How many slices one statement reads, unless that takes too long.
const STRETCH: i64 = 120;

/// What ended in one minute, by entrypoint.
pub type Minute = BTreeMap<String, Tally>;

/// Attempts and jobs that ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Jobs that were done.
    pub done: i64,
    /// Jobs that were given up: held, or removed.
    pub failed: i64,
    /// Jobs that somebody canceled or deleted.
    pub removed: i64,
    /// Attempts after which the job was queued again.
    pub again: i64,
}

impl Tally {
    /// Both together.
    pub fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.failed += other.failed;
        self.removed += other.removed;
        self.again += other.again;
    }

    /// Jobs that ended.
    pub fn jobs(&self) -> i64 {
        self.done + self.failed + self.removed
    }

    fn count(&mut self, outcome: &str, jobs: i64) {
        match outcome {
            "successful" => self.done += jobs,
            "failed" | "exception" => self.failed += jobs,
            "canceled" | "deleted" => self.removed += jobs,
            _ => self.again += jobs,
        }
    }
}

/// What is known of the last hour.
#[derive(Debug, Default)]
pub struct Hour {
    known: Mutex<BTreeMap<i64, Known>>,
    /// One at a time reads.
    reading: tokio::sync::Mutex<()>,
    /// So many slices fewer than [`STRETCH`] are read at once.
    fewer: AtomicI64,
}

#[derive(Debug, Clone)]
struct Known {
    ended: Arc<Minute>,
    over: bool,
}

/// A row of `ended.sql`.
#[derive(Deserialize)]
struct Ended {
    slice: Moment,
    entrypoint: String,
    outcome: String,
    jobs: i64,
}

impl Hour {
    /// The minutes up to `now`, oldest first; none for one that has not been read yet.
    pub fn minutes(&self, now: DateTime<Utc>) -> Vec<Option<Arc<Minute>>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let last = slice_of(now);
        let minute = |minute: i64| {
            let first = minute * SLICES_A_MINUTE;
            let slices = first..=last.min(first + SLICES_A_MINUTE - 1);
            slices.map(|slice| known.get(&slice).map(|known| &*known.ended)).collect::<Option<Vec<_>>>()
        };
        let minutes = first_slice(now) / SLICES_A_MINUTE..=last / SLICES_A_MINUTE;
        minutes.map(|at| minute(at).map(|slices| Arc::new(sum(&slices)))).collect()
    }

    /// Returns when nobody reads any more.
    pub async fn read(&self) {
        drop(self.reading.lock().await);
    }

    /// The slices that must be read, newest first.
    fn wanted(&self, now: DateTime<Utc>) -> Vec<i64> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let is_over = |slice: &i64| known.get(slice).is_some_and(|known| known.over);
        (first_slice(now)..=slice_of(now)).rev().filter(|slice| !is_over(slice)).collect()
    }

    fn keep(&self, stretch: (i64, i64), ended: Vec<Ended>, now: DateTime<Utc>) {
        let mut read: BTreeMap<i64, Minute> = (stretch.0..=stretch.1).map(|slice| (slice, Minute::new())).collect();
        for row in ended {
            if let Some(slice) = row.slice.time().and_then(|time| read.get_mut(&slice_of(time))) {
                slice.entry(row.entrypoint).or_default().count(&row.outcome, row.jobs);
            }
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (at, ended) in read {
            let over = now.timestamp() >= (at + 1) * SLICE + GRACE;
            known.insert(at, Known { ended: Arc::new(ended), over });
        }
        known.retain(|slice, _| *slice >= first_slice(now));
    }
}

fn sum(slices: &[&Minute]) -> Minute {
    let mut minute = Minute::new();
    for (name, tally) in slices.iter().copied().flatten() {
        minute.entry(name.clone()).or_default().add(tally);
    }
    minute
}

/// Reads what is missing of the hour up to `now`: true where that filled a gap in the past. Somebody else who is at it already
/// is left alone.
pub async fn fill(app: Shared, now: DateTime<Utc>) -> Result<bool> {
    let Ok(_reading) = app.hour.reading.try_lock() else { return Ok(false) };
    let mut wanted = app.hour.wanted(now);
    let has_gap = app.hour.minutes(now).iter().any(Option::is_none) && wanted.len() as i64 > SLICES_A_MINUTE;
    while !wanted.is_empty() {
        let most = (STRETCH - app.hour.fewer.load(Relaxed)).max(1);
        let Some(stretch) = newest_stretch(&wanted, most) else { break };
        match ended(&app, stretch).await {
            Ok(ended) => app.hour.keep(stretch, ended, now),
            Err(failure) => {
                app.hour.fewer.store(STRETCH - most / 2, Relaxed);
                return Err(failure);
            }
        }
        wanted.retain(|slice| *slice < stretch.0);
    }
    Ok(has_gap)
}

/// The first run of neighbours in a falling list, at most so long.
fn newest_stretch(wanted: &[i64], most: i64) -> Option<(i64, i64)> {
    let last = *wanted.first()?;
    let run = wanted.iter().zip(0..most).take_while(|(minute, step)| **minute == last - step);
    Some((run.last().map_or(last, |(minute, _)| *minute), last))
}

async fn ended(app: &App, stretch: (i64, i64)) -> Result<Vec<Ended>> {
    let (from, to) = (start_of(stretch.0), start_of(stretch.1 + 1));
    let parameters: [Parameter; 3] =
        [(&from, Type::TIMESTAMPTZ), (&to, Type::TIMESTAMPTZ), (&app.options.prefix, Type::TEXT)];
    let mut lent = app.lend().await?;
    rows(&lent.read().await?, sql!("ended"), &parameters).await
}

fn slice_of(time: DateTime<Utc>) -> i64 {
    time.timestamp().div_euclid(SLICE)
}

/// That with which the oldest minute begins.
fn first_slice(now: DateTime<Utc>) -> i64 {
    (now.timestamp().div_euclid(60) - MINUTES + 1) * SLICES_A_MINUTE
}

fn start_of(slice: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::seconds(slice * SLICE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(slice: i64, jobs: i64) -> Ended {
        Ended { slice: start_of(slice).into(), entrypoint: "fetch".into(), outcome: "successful".into(), jobs }
    }

    #[test]
    fn a_slice_that_is_over_is_read_once() {
        let hour = Hour::default();
        // The fifth slice of minute 1000: 59 minutes before it, and five slices.
        let now = start_of(6004) + TimeDelta::seconds(5);
        let all = hour.wanted(now);
        assert_eq!((all.len(), all[0], all[358]), (359, 6004, 5646));
        hour.keep((5885, 6004), vec![row(5999, 3), row(5998, 4)], now);
        // Of these only the last two are not over.
        assert_eq!(hour.wanted(now).len(), 241);
        assert_eq!(newest_stretch(&hour.wanted(now), 120), Some((6003, 6004)));
        let minutes = hour.minutes(now);
        assert_eq!((minutes.len(), minutes.iter().flatten().count()), (60, 20));
        assert_eq!(minutes[58].as_ref().unwrap()["fetch"].done, 7);
        hour.keep((5646, 5884), vec![], now);
        assert_eq!(hour.wanted(now), [6004, 6003]);
        assert_eq!(hour.minutes(now).iter().flatten().count(), 60);
    }

    #[test]
    fn a_stretch_ends_at_a_gap_and_at_its_length() {
        assert_eq!(newest_stretch(&[], 20), None);
        assert_eq!(newest_stretch(&[9, 8, 6], 20), Some((8, 9)));
        assert_eq!(newest_stretch(&[9, 8, 7, 6], 2), Some((8, 9)));
    }
}
