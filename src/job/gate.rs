//! The settings of an entrypoint that decide whether its jobs may be handed out.

use super::candidate::{Candidate, Source};
use super::wake::asked;
use crate::error::Error;
use crate::lease::{self, Caller};
use crate::pg::spi::Row;
use crate::pg::{self, Time};
use crate::statement;
use pgqueuer_core::claims::{JobKey, Name, QueueKey, RateLimit, Request};
use pgrx::datum::Interval;
use std::collections::HashMap;

/// The settings.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gate {
    /// Nothing is handed out.
    pub paused: bool,
    /// Claims at one time; 0 for any number.
    pub limit: u32,
    /// Claims over time.
    pub rate: Option<RateLimit>,
}

impl Gate {
    /// Reads the columns concurrency_limit, rate_limit, rate_period and paused from `first` on.
    pub fn of(row: &Row, first: i32) -> Self {
        let claims = row.int(first + 1).unwrap_or(0).unsigned_abs();
        let period = row.get::<Interval>(first + 2).map_or(1, |period| pg::microseconds(&period).max(1));
        let rate = (claims > 0).then_some(RateLimit { claims, period });
        Self { paused: row.is(first + 3), limit: row.int(first).unwrap_or(0).unsigned_abs(), rate }
    }
}

/// The entrypoints that somebody asks for, with their settings.
pub struct Gates {
    sources: Vec<(Source, Gate)>,
}

impl Gates {
    /// Reads the settings.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn of(caller: &Caller, names: &[String]) -> Result<Self, Error> {
        let settings: HashMap<String, Gate> = statement::ENTRYPOINTS.run(&[names.to_vec().into()], |rows| {
            Ok(rows.iter().filter_map(|row| Some((row.text(1)?, Gate::of(&row, 2)))).collect())
        })?;
        let source = |(place, entrypoint): (usize, &String)| {
            let queue = QueueKey { relation: caller.relation, name: Name::of(&[entrypoint]) };
            let gate = settings.get(entrypoint).copied().unwrap_or_default();
            (Source { place, entrypoint: entrypoint.clone(), queue }, gate)
        };
        let sources: Vec<(Source, Gate)> = names.iter().enumerate().map(source).collect();
        sources.iter().for_each(|(source, _)| asked(&source.queue, &source.entrypoint));
        Ok(Self { sources })
    }

    /// Those that are not paused.
    pub fn open(&self) -> impl Iterator<Item = Source> + '_ {
        self.sources.iter().filter(|(_, gate)| !gate.paused).map(|(source, _)| source.clone())
    }

    /// One of them, by its place in the list.
    pub fn get(&self, place: usize) -> Option<(&Source, Gate)> {
        self.sources.get(place).map(|(source, gate)| (source, *gate))
    }
}

/// Who wants claims, and on which terms.
pub struct Terms {
    /// Who.
    pub caller: Caller,
    /// Whether the worker is a named one.
    pub named: bool,
    /// Its lease, microseconds.
    pub lease: Option<i64>,
    /// How many claims it may hold.
    pub max_in_flight: Option<u32>,
}

impl Terms {
    /// The claim that it would like to make.
    pub fn request(&self, source: &Source, gate: Gate, candidate: &Candidate, now: Time) -> Request {
        let key = candidate.ordering_key.as_ref();
        Request {
            job: JobKey { relation: self.caller.relation, id: candidate.id },
            worker: self.caller.worker,
            as_worker: lease::as_worker(self.named, now, self.lease),
            attempt: candidate.attempts,
            created: candidate.created,
            priority: candidate.priority,
            due: candidate.due,
            now,
            session: self.caller.session,
            queue: source.queue.name,
            order: key.map_or(Name::NONE, |key| Name::of(&[&source.entrypoint, key])),
            limit: gate.limit,
            rate: gate.rate,
            max_in_flight: self.max_in_flight,
        }
    }
}
