//! `pgq.metrics`: gathers numbers; `pgqueuer_core::exposition` prints them. `docs/metrics.md` has the table of all of them.
//!
//! Counters are copied from memory. What waits is counted from the rows, to a bound for each entrypoint that keeps the
//! whole of it within [`COUNT_MOST`].

use super::backlog::{self, Aside, Lane};
use super::claims;
use super::family::{
    CLAIMS, COUNT_LIMIT, DATABASE_WORKER, DEAD_ROWS, DEFERRED, DUE, ENDED, ENQUEUED, HELD, IN_FLIGHT, INFO, LIMIT,
    LIVE_ROWS, LOG_BYTES, MEMORY_FORGOTTEN, MEMORY_ROOM, MEMORY_USED, NOTIFICATIONS, OLDEST_DUE, PAUSED, PRELOADED,
    RUN, SNAPSHOT_AGE, STANDBY, WAIT, WAITING, WORKERS,
};
use crate::error::Error;
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgqueuer_core::claims::{BOUNDS, Histogram, Name, Outcome, QueueKey, Relation, Tally, WorkerKind};
use pgqueuer_core::exposition::{Exposition, Metric, Sample, Value};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::collections::{BTreeMap, BTreeSet};

/// How many due jobs are counted for one entrypoint.
const ENTRYPOINT_MOST: i64 = 10_000;
/// How many are counted for all of them together.
const COUNT_MOST: i64 = 50_000;
/// Of deferred and of held jobs one for so many due ones is counted.
const ASIDE: i64 = 10;
/// How many entrypoints are shown that memory does not know.
const UNKNOWN_MOST: i64 = 1000;
/// How many slots are copied under one hold of the lock.
const SLICE: u32 = 32;

#[pg_extern(sql = false)]
fn metrics() -> Result<String, ErrorReport> {
    Ok(gather()?)
}

/// What is known of one entrypoint.
#[derive(Default)]
struct Entrypoint {
    in_flight: u64,
    due: i64,
    deferred: i64,
    held: i64,
    oldest: Option<Time>,
    limit: i32,
    paused: bool,
}

fn gather() -> Result<String, Error> {
    let relation = claims::seen()?;
    let now = pg::now();
    let tallies = relation.map_or(vec![], copy_of_tallies);
    let mut entrypoints = named(&tallies)?;
    let bound = (COUNT_MOST / (entrypoints.len().max(1) as i64)).clamp(10 * ASIDE, ENTRYPOINT_MOST);
    count(relation, &mut entrypoints, now, bound)?;
    let mut page = Exposition::default();
    put_server(&mut page)?;
    put_tallies(&mut page, &tallies);
    put_entrypoints(&mut page, &entrypoints, now, relation.is_some());
    let bounds = [("due", bound), ("deferred", bound / ASIDE), ("held", bound / ASIDE)];
    let counted = |(of, bound): (&str, i64)| Sample { labels: vec![of.to_owned()], value: Value::Whole(bound) };
    page.put(&COUNT_LIMIT, bounds.into_iter().map(counted).collect());
    if let Some(relation) = relation {
        put_memory(&mut page, relation);
    }
    Ok(page.text())
}

fn whole(number: i64) -> Vec<Sample> {
    vec![Sample { labels: vec![], value: Value::Whole(number) }]
}

fn copy_of_tallies(relation: Relation) -> Vec<Tally> {
    let mut copy = vec![];
    let mut from = Some(0);
    while let Some(slot) = from {
        // Under the lock nothing may be allocated.
        copy.reserve(SLICE as usize);
        from = memory::read(|claims| {
            let (found, next) = claims.some_tallies(relation, slot, SLICE);
            copy.extend(found.copied());
            next
        })
        .flatten();
    }
    copy
}

/// All entrypoints that memory, settings or rows know.
fn named(tallies: &[Tally]) -> Result<BTreeMap<String, Entrypoint>, Error> {
    let mut named: BTreeMap<String, Entrypoint> = statement::CONFIGURED.run(&[], |rows| {
        let settings = |row: pg::spi::Row| {
            Some((row.text(1)?, Entrypoint { limit: row.int(2)?, paused: row.is(3), ..Entrypoint::default() }))
        };
        Ok(rows.iter().filter_map(settings).collect())
    })?;
    for name in tallies.iter().map(name_of).filter(|name| !name.is_empty()) {
        named.entry(name).or_default();
    }
    let known: BTreeSet<String> = named.keys().cloned().collect();
    for name in backlog::unknown_names(&known, UNKNOWN_MOST)? {
        named.entry(name).or_default();
    }
    Ok(named)
}

fn name_of(tally: &Tally) -> String {
    String::from_utf8_lossy(tally.name()).into_owned()
}

/// Counts the priorities of each entrypoint, highest first: all first ones, all second ones, and so on, each to what is left of
/// the entrypoint's bound.
fn count(
    relation: Option<Relation>,
    entrypoints: &mut BTreeMap<String, Entrypoint>,
    now: Time,
    bound: i64,
) -> Result<(), Error> {
    let names: Vec<String> = entrypoints.keys().cloned().collect();
    let held: Vec<i64> = claims::copy_of_claims()?.into_keys().collect();
    let mut rounds: Vec<Vec<Lane>> = vec![];
    let mut met: BTreeMap<String, usize> = BTreeMap::new();
    for lane in backlog::lanes(relation.unwrap_or_default(), &names, now)? {
        let place = met.entry(lane.entrypoint.clone()).or_insert(0);
        rounds.resize_with(rounds.len().max(*place + 1), Vec::new);
        rounds.get_mut(*place).into_iter().for_each(|round| round.push(lane.clone()));
        *place += 1;
    }
    for lanes in rounds {
        count_round(&lanes, entrypoints, &held, now, bound)?;
    }
    for (name, of) in entrypoints.iter_mut() {
        let queue = QueueKey { relation: relation.unwrap_or_default(), name: Name::of(&[name]) };
        of.in_flight = memory::read(|claims| claims.in_flight(&queue)).unwrap_or(0);
    }
    Ok(())
}

/// Counts lanes of which no two have the same entrypoint.
fn count_round(
    lanes: &[Lane],
    entrypoints: &mut BTreeMap<String, Entrypoint>,
    held: &[i64],
    now: Time,
    bound: i64,
) -> Result<(), Error> {
    let left = |of: fn(&Entrypoint) -> i64, bound: i64| -> Vec<i64> {
        let counted = lanes.iter().map(|lane| entrypoints.get(&lane.entrypoint).map_or(0, of));
        counted.map(|counted| bound.saturating_sub(counted).max(0)).collect()
    };
    let deferred = left(|of| of.deferred, bound / ASIDE);
    let aside = deferred.into_iter().zip(left(|of| of.held, bound / ASIDE));
    let aside: Vec<Aside> = aside.map(|(deferred, held)| Aside { deferred, held }).collect();
    let due = backlog::count(lanes, left(|of| of.due, bound), held)?;
    let aside = backlog::count_aside(lanes, &aside, now)?;
    for ((lane, due), aside) in lanes.iter().zip(due).zip(aside) {
        let Some(of) = entrypoints.get_mut(&lane.entrypoint) else { continue };
        of.due = of.due.saturating_add(due.jobs).min(bound);
        of.deferred = of.deferred.saturating_add(aside.deferred).min(bound / ASIDE);
        of.held = of.held.saturating_add(aside.held).min(bound / ASIDE);
        of.oldest = [of.oldest, due.first].into_iter().flatten().min();
    }
    Ok(())
}

fn put_server(page: &mut Exposition) -> Result<(), Error> {
    let (numbers, notifications, version) = statement::SERVER.run(&[], |rows| {
        let row = rows.first().ok_or_else(|| Error::Broken("the server tells nothing".to_owned()))?;
        let numbers = [1, 2, 3, 4].map(|column| row.big(column).unwrap_or(0));
        Ok((numbers, row.get::<f64>(5).unwrap_or(0.0), row.text(6).unwrap_or_default()))
    })?;
    let versions = vec![env!("CARGO_PKG_VERSION").to_owned(), version];
    page.put(&INFO, vec![Sample { labels: versions, value: Value::Whole(1) }]);
    page.put(&PRELOADED, whole(memory::is_there().into()));
    page.put(&STANDBY, whole(pg::on_standby().into()));
    for (metric, number) in [LOG_BYTES, DEAD_ROWS, LIVE_ROWS, SNAPSHOT_AGE].iter().zip(numbers) {
        page.put(metric, whole(number));
    }
    page.put(&NOTIFICATIONS, vec![Sample { labels: vec![], value: Value::Number(notifications) }]);
    Ok(())
}

fn put_tallies(page: &mut Exposition, tallies: &[Tally]) {
    let all = |value: fn(&Tally) -> Value| {
        tallies.iter().map(|tally| Sample { labels: vec![name_of(tally)], value: value(tally) }).collect()
    };
    page.put(&ENQUEUED, all(|tally| Value::Whole(tally.enqueued as i64)));
    page.put(&CLAIMS, all(|tally| Value::Whole(tally.claims as i64)));
    let ended = |tally: &Tally| {
        let name = name_of(tally);
        let of = move |(outcome, count): (&Outcome, &u64)| Sample {
            labels: vec![name.clone(), outcome.word().to_owned()],
            value: Value::Whole(*count as i64),
        };
        Outcome::ALL.iter().zip(&tally.ended).map(of).collect::<Vec<_>>()
    };
    page.put(&ENDED, tallies.iter().flat_map(ended).collect());
    put_observed(page, &WAIT, tallies, |tally| &tally.wait);
    put_observed(page, &RUN, tallies, |tally| &tally.run);
}

/// Histograms are long: one without observations is left out.
fn put_observed(page: &mut Exposition, metric: &Metric, tallies: &[Tally], of: fn(&Tally) -> &Histogram) {
    let above = |histogram: &Histogram| histogram.counts.last().copied().unwrap_or(0);
    let bounds = || BOUNDS.iter().map(|bound| seconds(*bound));
    let value = |histogram: &Histogram| {
        let counts = bounds().zip(histogram.counts).collect();
        Value::Observed(counts, above(histogram), seconds(histogram.sum as i64))
    };
    let seen = tallies.iter().filter(|tally| of(tally).counts.iter().any(|count| *count > 0));
    page.put(metric, seen.map(|tally| Sample { labels: vec![name_of(tally)], value: value(of(tally)) }).collect());
}

fn seconds(microseconds: i64) -> f64 {
    microseconds as f64 / 1_000_000.0
}

fn put_entrypoints(page: &mut Exposition, entrypoints: &BTreeMap<String, Entrypoint>, now: Time, in_memory: bool) {
    let all = |value: &dyn Fn(&Entrypoint) -> Value| {
        entrypoints.iter().map(|(name, of)| Sample { labels: vec![name.clone()], value: value(of) }).collect()
    };
    if in_memory {
        page.put(&IN_FLIGHT, all(&|of| Value::Whole(of.in_flight as i64)));
    }
    page.put(&DUE, all(&|of| Value::Whole(of.due)));
    page.put(&DEFERRED, all(&|of| Value::Whole(of.deferred)));
    page.put(&HELD, all(&|of| Value::Whole(of.held)));
    let age = |of: &Entrypoint| of.oldest.map_or(0, |due| now.saturating_sub(due).max(0));
    page.put(&OLDEST_DUE, all(&|of| Value::Number(seconds(age(of)))));
    page.put(&LIMIT, all(&|of| Value::Whole(of.limit.into())));
    page.put(&PAUSED, all(&|of| Value::Whole(of.paused.into())));
}

fn put_memory(page: &mut Exposition, relation: Relation) {
    let counted = memory::read(|claims| {
        let named = claims.workers_of(relation).filter(|(key, _)| key.kind == WorkerKind::Named).count();
        let all = claims.workers_of(relation).count();
        (named, all, claims.waiting_in(relation), claims.is_attended(relation), claims.fill_of_all())
    });
    let Some((named, all, waiting, running, fill)) = counted else { return };
    let workers = [("named", named), ("session", all.saturating_sub(named))];
    let kind = |(kind, count): (&str, usize)| Sample {
        labels: vec![kind.to_owned()],
        value: Value::Whole(i64::try_from(count).unwrap_or(i64::MAX)),
    };
    page.put(&WORKERS, workers.into_iter().map(kind).collect());
    page.put(&WAITING, whole(i64::try_from(waiting).unwrap_or(i64::MAX)));
    page.put(&DATABASE_WORKER, whole(running.into()));
    let of = |number: fn(&pgqueuer_core::claims::Fill) -> i64| {
        let sample = |fill| Sample { labels: vec![name(fill)], value: Value::Whole(number(fill)) };
        fill.iter().map(sample).collect()
    };
    page.put(&MEMORY_USED, of(|fill| fill.used));
    page.put(&MEMORY_ROOM, of(|fill| fill.room));
    page.put(&MEMORY_FORGOTTEN, of(|fill| fill.forgotten));
}

fn name(fill: &pgqueuer_core::claims::Fill) -> String {
    fill.name.to_owned()
}
