//! What there is to see: figures, and the rows of the lists.

use super::pane::Pane;
use crate::cmd::Context;
use crate::output::Row;
use chrono::DateTime;
use futures_util::future::try_join;
use pgqueuer_web::look::{Look, Minute, Seen, Tally, Unseen};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How many rows of a list are fetched for the screen.
pub const MOST: usize = 200;

/// A job that has been due for so many seconds while none is in flight: nobody works there.
const UNATTENDED: f64 = 15.0;

/// The queue at one moment.
#[derive(Debug)]
pub struct Board {
    pub seen: Seen,
    rows: BTreeMap<Pane, Vec<Row>>,
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub panes: Vec<Pane>,
    /// How many rows of a list.
    pub most: usize,
    /// Of one entrypoint alone, by its name in the database.
    pub failed_of: Option<String>,
    /// For how long the log is waited for.
    pub patience: Duration,
}

impl Board {
    /// # Errors
    /// Where the database does not answer, or refuses.
    pub async fn fetched(look: &Look, asked: &Asked, prefix: &str) -> Result<Self, Unseen> {
        // The lists beside the figures, and one after the other: another connection costs more than most of them.
        let lists = async {
            let mut fetched = vec![];
            for pane in &asked.panes {
                fetched.push((*pane, fetch(look, *pane, asked).await?));
            }
            Ok(fetched)
        };
        let (seen, lists) = try_join(look.seen(asked.patience), lists).await?;
        let rows = lists.into_iter().map(|(pane, rows)| (pane, told(pane, rows, &seen, prefix))).collect();
        Ok(Self { seen, rows })
    }

    /// None where they were not asked for.
    pub fn rows(&self, pane: Pane) -> Option<&[Row]> {
        self.rows.get(&pane).map(Vec::as_slice)
    }

    /// What ended in each minute, of all entrypoints.
    pub fn tallies(&self) -> Vec<Option<Tally>> {
        let sum = |minute: &Arc<Minute>| {
            let mut sum = Tally::default();
            minute.values().for_each(|tally| sum.add(tally));
            sum
        };
        self.seen.minutes.iter().map(|minute| minute.as_ref().map(sum)).collect()
    }
}

async fn fetch(look: &Look, pane: Pane, asked: &Asked) -> Result<Vec<Row>, Unseen> {
    let most = i64::try_from(asked.most).unwrap_or(i64::MAX);
    match pane {
        // They are among the figures.
        Pane::Entrypoints => Ok(vec![]),
        Pane::InFlight => look.in_flight(most).await,
        Pane::Failed => look.failed(asked.failed_of.as_deref(), asked.most).await,
        Pane::Workers => look.workers(most).await,
        Pane::Schedules => look.schedules(most).await,
    }
}

/// Rows by the names that the commands give their fields.
fn told(pane: Pane, rows: Vec<Row>, seen: &Seen, prefix: &str) -> Vec<Row> {
    match pane {
        Pane::Entrypoints => entrypoints(seen, prefix),
        Pane::InFlight => in_flight(rows, seen),
        Pane::Failed => failed(&rows),
        Pane::Workers => workers(rows),
        Pane::Schedules => schedules(rows, prefix),
    }
}

fn entrypoints(seen: &Seen, prefix: &str) -> Vec<Row> {
    let named = seen.figures.entrypoints.iter().filter_map(|(full, one)| Some((full, full.strip_prefix(prefix)?, one)));
    let bounds = seen.figures.bounds;
    let row = |(full, name, one): (&String, &str, &pgqueuer_web::look::Entrypoint)| {
        let tally = |minute: &Arc<Minute>| minute.get(full).copied().unwrap_or_default();
        let minutes: Vec<Option<Tally>> = seen.minutes.iter().map(|minute| minute.as_ref().map(tally)).collect();
        let mut hour = Tally::default();
        minutes.iter().flatten().for_each(|minute| hour.add(minute));
        // This minute is not over.
        let last = minutes.iter().rev().nth(1).copied().flatten();
        let at = |number: i64, bound: i64| bound > 0 && number >= bound;
        let value = json!({
            "entrypoint": name,
            "due": one.due,
            "in_flight": one.in_flight,
            "limit": (one.limit > 0).then_some(one.limit),
            "failed": one.held,
            "oldest_seconds": (one.oldest > 0.0).then_some(one.oldest),
            "note": note(one),
            "deferred": one.deferred,
            "done_last_minute": last.map(|last| last.done),
            "done_last_hour": hour.done,
            "failed_last_hour": hour.failed,
            "paused": one.paused,
            "counted_to_a_bound": at(one.due, bounds.due) || at(one.deferred, bounds.deferred) || at(one.held, bounds.held),
            "done_by_minute": minutes.iter().map(|minute| minute.map(|minute| minute.done)).collect::<Vec<_>>(),
        });
        if let Value::Object(row) = value { row } else { Row::new() }
    };
    let mut rows: Vec<Row> = named.map(row).collect();
    // Those with the most to do first.
    rows.sort_by_key(|row| {
        std::cmp::Reverse(["due", "in_flight", "failed"].map(|name| row.get(name).and_then(Value::as_i64)))
    });
    rows
}

/// What keeps its jobs from being handed out.
fn note(one: &pgqueuer_web::look::Entrypoint) -> Option<&'static str> {
    match one {
        one if one.paused => Some("paused"),
        one if one.limit > 0 && one.in_flight >= one.limit => Some("at limit"),
        // Between two jobs of a quick worker nothing is in flight, either.
        one if one.oldest > UNATTENDED && one.in_flight == 0 => Some("no worker"),
        _ => None,
    }
}

/// As `pgq stale` has them.
fn in_flight(mut rows: Vec<Row>, seen: &Seen) -> Vec<Row> {
    for row in &mut rows {
        let picked = row.get("picked").and_then(Value::as_str).and_then(|text| DateTime::parse_from_rfc3339(text).ok());
        let running = picked.map(|picked| (seen.at - picked.to_utc()).num_milliseconds().max(0) as f64 / 1000.0);
        row.insert("running_seconds".into(), running.into());
    }
    rows
}

/// A length of time is known by its name.
fn workers(mut rows: Vec<Row>) -> Vec<Row> {
    for row in &mut rows {
        let lease = row.shift_remove("lease").unwrap_or_default();
        row.insert("lease_seconds".into(), lease);
    }
    rows
}

/// As `pgq failed` has them.
fn failed(rows: &[Row]) -> Vec<Row> {
    const NAMES: [(&str, &str); 9] = [
        ("id", "id"),
        ("entrypoint", "entrypoint"),
        ("failed", "execute_after"),
        ("error", "error"),
        ("payload_start", "beginning"),
        ("attempts", "attempts"),
        ("priority", "priority"),
        ("created", "created"),
        ("bytes", "bytes"),
    ];
    let named = |row: &Row| {
        let fields = NAMES.iter().map(|(name, of)| ((*name).to_owned(), row.get(*of).cloned().unwrap_or_default()));
        fields.collect()
    };
    rows.iter().map(named).collect()
}

/// What keeps a schedule from ticking goes first; names are told as their application calls them.
fn schedules(mut rows: Vec<Row>, prefix: &str) -> Vec<Row> {
    for row in &mut rows {
        let is = |name: &str, row: &Row| row.get(name).and_then(Value::as_bool).unwrap_or(false);
        let said = match row.get("note") {
            Some(Value::String(note)) => Some(note.clone()),
            _ if !is("enabled", row) => Some("paused".to_owned()),
            _ if is("late", row) => Some("late".to_owned()),
            _ => None,
        };
        let name = row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let short = name.strip_prefix(prefix).unwrap_or(&name).to_owned();
        row.insert("note".into(), said.into());
        row.insert("full_name".into(), name.into());
        row.insert("name".into(), short.into());
    }
    // The next to tick first; those that do not tick last.
    let tick = |row: &Row| row.get("next_tick").and_then(Value::as_str).map(str::to_owned);
    rows.sort_by_key(|row| (tick(row).is_none(), tick(row)));
    rows
}

/// An entrypoint of which the filter is the only match, by its name in the database.
pub fn only_match(board: &Board, context: &Context, filter: &str) -> Option<String> {
    let names = board.seen.figures.entrypoints.keys();
    let mut matches = names.filter(|full| super::line::fits(context.unprefixed(full), filter));
    let first = matches.next().filter(|_| !filter.is_empty())?;
    matches.next().is_none().then(|| first.clone())
}
