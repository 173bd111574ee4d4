//! The queue of one database: what it says, and what went wrong.

use super::choice::{Choice, Limits};
use crate::bounded::Looks;
use crate::connect::Server;
use crate::error::{Error, Result};
use crate::output::Row;
use crate::query::Parameter;
use crate::sql;
use std::time::{Duration, Instant};
use tokio_postgres::types::Type;

/// For how long the answer of `pgq.health()` is told.
const CHECKED: Duration = Duration::from_secs(10);
/// How many schedules are told.
const SCHEDULES: i64 = 500;

/// A database, and what is known of it from one look to the next.
pub struct Queue {
    server: Server,
    looks: Looks,
    choice: Choice,
    checked: Option<(Instant, Vec<Row>)>,
    /// Whether it did not answer last time.
    pub ill: bool,
    /// What was said last on standard error, until all is well again.
    said: Option<String>,
}

/// What one look found.
#[derive(Debug, Default)]
pub struct Found {
    pub database: String,
    /// Of `pgq.metrics()`, what is told.
    pub metrics: String,
    /// How many entrypoints are not.
    pub left_out: usize,
    pub ticks: Vec<Row>,
    /// None where `pgq.health()` does not answer.
    pub checks: Option<Vec<Row>>,
    pub took: Duration,
    /// Why there is nothing else.
    pub failure: Option<Error>,
}

impl Found {
    pub fn failed(database: &str, failure: Error) -> Self {
        Self { database: database.to_owned(), failure: Some(failure), ..Self::default() }
    }
}

impl Queue {
    pub fn new(server: Server, patience: Duration) -> Result<Self> {
        // Who asks one thing at a time needs no more.
        let looks = Looks { queue: server.queue()?.pool_size(1), patience };
        Ok(Self { server, looks, choice: Choice::default(), checked: None, ill: false, said: None })
    }

    pub fn name(&self) -> &str {
        self.server.database()
    }

    /// Asks for everything.
    pub async fn look(&mut self, limits: &Limits) -> Found {
        let begun = Instant::now();
        let mut found = match self.ask(limits).await {
            Ok(found) => found,
            Err(error) => Found::failed(self.name(), error.at(&self.server)),
        };
        (found.database, found.took) = (self.name().to_owned(), begun.elapsed());
        found
    }

    /// Ends its connection: it would keep the database from being dropped.
    pub fn leave(&self) {
        self.looks.queue.pool().retain(|_, _| false);
    }

    /// Says on standard error what is new: a failure once for as long as it is the same.
    pub fn say(&mut self, found: &Found) {
        let now = found.failure.as_ref().map(ToString::to_string);
        if let Some(failure) = found.failure.as_ref().filter(|_| now != self.said) {
            failure.print();
        }
        if now.is_none() && self.said.is_some() {
            eprintln!("pgq: database {} answers again", crate::text::harmless(self.name()));
        }
        self.said = now;
    }

    async fn ask(&mut self, limits: &Limits) -> Result<Found> {
        let page = self.looks.text(sql!("metrics"), &[]).await?.unwrap_or_default();
        let schedules: [Parameter; 2] = [(&limits.prefix, Type::TEXT), (&SCHEDULES, Type::INT8)];
        let ticks = self.looks.rows(sql!("ticks"), &schedules).await?;
        let metrics = self.choice.of(&page, limits);
        // A queue that can be counted is told, whatever is the matter with its health.
        let checks = self.checks().await.ok();
        Ok(Found { metrics, left_out: self.choice.left_out, ticks, checks, ..Found::default() })
    }

    async fn checks(&mut self) -> Result<Vec<Row>> {
        if let Some((_, checks)) = self.checked.as_ref().filter(|(at, _)| at.elapsed() < CHECKED) {
            return Ok(checks.clone());
        }
        let checks = self.looks.rows(sql!("health"), &[]).await?;
        self.checked = Some((Instant::now(), checks.clone()));
        Ok(checks)
    }
}
