//! The figures of the last hour, a sample a minute, since the dashboard began to watch. The database keeps none.

use crate::figures::Figures;
use crate::hour::MINUTES;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The queue at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sample {
    pub due: i64,
    pub in_flight: i64,
    pub held: i64,
    /// Seconds.
    pub oldest: f64,
}

#[derive(Default)]
pub struct History(Mutex<BTreeMap<i64, Sample>>);

impl History {
    /// The last sample of a minute stands for it.
    pub fn note(&self, now: DateTime<Utc>, figures: &Figures) {
        let total = figures.total();
        let sample = Sample { due: total.due, in_flight: total.in_flight, held: total.held, oldest: total.oldest };
        let minute = now.timestamp().div_euclid(60);
        let mut samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        samples.insert(minute, sample);
        samples.retain(|at, _| *at > minute - MINUTES);
    }

    /// The minutes up to `now`, oldest first; none where nobody looked.
    pub fn samples(&self, now: DateTime<Utc>) -> Vec<Option<Sample>> {
        let samples = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = now.timestamp().div_euclid(60);
        (last - MINUTES + 1..=last).map(|minute| samples.get(&minute).copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn an_hour_is_kept() {
        let history = History::default();
        let now = DateTime::UNIX_EPOCH;
        for minute in 0..100 {
            history.note(now + TimeDelta::minutes(minute), &Figures::default());
        }
        let later = now + TimeDelta::minutes(110);
        assert_eq!(history.samples(later).iter().flatten().count(), 49);
        assert!(history.samples(later).last().unwrap().is_none());
    }
}
