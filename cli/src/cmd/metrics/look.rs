//! One look at all databases, which those who ask at one time share: the queue is asked one thing at a time, and no more often
//! than [`FRESH`] allows, however many scrapers there are and however slow the database is.

use super::cluster::Cluster;
use super::page::Page;
use super::queue::Found;
use crate::output::Row;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// A look so young is told to whoever asks.
const FRESH: Duration = Duration::from_secs(1);

/// Without these nothing is handed out, or nothing comes by the clock.
const VITAL: [&str; 2] = ["preload", "background worker"];

/// What was found.
#[derive(Debug)]
pub struct Look {
    pub databases: Vec<Found>,
    pub made: Instant,
}

/// The last look.
#[derive(Clone)]
pub struct Shared(Arc<Mutex<(Cluster, Option<Arc<Look>>)>>);

impl Shared {
    pub fn new(cluster: Cluster) -> Self {
        Self(Arc::new(Mutex::new((cluster, None))))
    }

    /// A look that is at most as old as [`FRESH`], or was made while this one waited. None if looking broke.
    pub async fn look(&self) -> Option<Arc<Look>> {
        let (asked, shared) = (Instant::now(), self.clone());
        // Who asks may go away: the query goes on, and nobody may begin another meanwhile.
        let looking = tokio::spawn(async move {
            let mut state = shared.0.lock().await;
            if let Some(last) = state.1.as_ref().filter(|last| asked.saturating_duration_since(last.made) < FRESH) {
                return last.clone();
            }
            let look = Arc::new(state.0.look().await);
            state.0.say(&look);
            state.1 = Some(look.clone());
            look
        });
        looking.await.ok()
    }
}

impl Look {
    /// For `/metrics`: what the databases count, and what only an observer knows.
    pub fn page(&self) -> Page {
        let mut page = Page::default();
        for found in &self.databases {
            let database = ("database", found.database.as_str());
            let up = if found.failure.is_none() { 1.0 } else { 0.0 };
            page.gauge("pgqueuer_up", "1 where the database answered the last look, else 0.", &[database], up);
            page.gauge("pgqueuer_look_seconds", "How long the last look took.", &[database], found.took.as_secs_f64());
        }
        for found in self.databases.iter().filter(|found| found.failure.is_none()) {
            page.add(&found.metrics, &found.database);
            found.add_left_out(&mut page);
            found.add_checks(&mut page);
            found.add_ticks(&mut page);
        }
        page
    }

    /// For `/healthz`: whether each database answers and hands out jobs; and in words for people, without what only an
    /// administrator may know.
    pub fn health(&self) -> (bool, String) {
        if self.databases.is_empty() {
            return (false, "no database of this server has a queue\n".to_owned());
        }
        let told: Vec<(bool, String)> = self.databases.iter().map(Found::health).collect();
        (told.iter().all(|(well, _)| *well), told.into_iter().map(|(_, line)| line).collect())
    }
}

impl Found {
    fn add_left_out(&self, page: &mut Page) {
        let help = "How many entrypoints and schedules are not told, for there are too many.";
        let schedules = self.ticks.first().and_then(|row| row.get("schedules")?.as_f64()).unwrap_or(0.0);
        let counts = [("entrypoints", self.left_out as f64), ("schedules", schedules - self.ticks.len() as f64)];
        for (of, count) in counts {
            page.gauge("pgqueuer_left_out", help, &[("database", &self.database), ("of", of)], count);
        }
    }

    fn add_checks(&self, page: &mut Page) {
        for (check, ok) in self.checks.iter().flatten().filter_map(checked) {
            let help = "1 where a check of pgq.health() says that all is well, 0 where it wants an operator.";
            let labels = [("database", self.database.as_str()), ("check", check)];
            page.gauge("pgqueuer_health_ok", help, &labels, if ok { 1.0 } else { 0.0 });
        }
    }

    fn add_ticks(&self, page: &mut Page) {
        let columns = [
            ("enabled", "pgqueuer_schedule_enabled", "1 where the schedule ticks, 0 where it is paused."),
            (
                "next_tick",
                "pgqueuer_schedule_next_tick_timestamp_seconds",
                "When it ticks next, in seconds since 1970.",
            ),
            (
                "last_tick",
                "pgqueuer_schedule_last_tick_timestamp_seconds",
                "When it ticked last, in seconds since 1970.",
            ),
        ];
        for (column, name, help) in columns {
            for row in &self.ticks {
                let schedule = row.get("name").and_then(Value::as_str).unwrap_or_default();
                let value = match row.get(column) {
                    Some(Value::Bool(yes)) => Some(if *yes { 1.0 } else { 0.0 }),
                    other => other.and_then(Value::as_f64),
                };
                if let Some(value) = value {
                    page.gauge(name, help, &[("database", &self.database), ("schedule", schedule)], value);
                }
            }
        }
    }

    fn health(&self) -> (bool, String) {
        let database = crate::text::harmless(&self.database);
        if self.failure.is_some() {
            return (false, format!("{database}: does not answer\n"));
        }
        let Some(checks) = &self.checks else { return (false, format!("{database}: its health is not known\n")) };
        let ills: Vec<&str> = checks.iter().filter_map(checked).filter(|(_, ok)| !ok).map(|(check, _)| check).collect();
        let well = !ills.iter().any(|ill| VITAL.contains(ill));
        match ills.as_slice() {
            [] => (well, format!("{database}: ok\n")),
            ills => (well, format!("{database}: see pgq health: {}\n", ills.join(", "))),
        }
    }
}

fn checked(row: &Row) -> Option<(&str, bool)> {
    Some((row.get("check")?.as_str()?, row.get("ok")?.as_bool()?))
}
