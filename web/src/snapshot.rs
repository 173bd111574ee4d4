//! The queue's figures of one moment, which all viewers share for a second or two.

use crate::app::{App, Shared};
use crate::failure::{Failure, Result};
use crate::figures::Figures;
use crate::find::column;
use crate::history::Sample;
use crate::hour::{self, Minute};
use crate::page::health::{Check, checks};
use crate::read::raw;
use crate::sql;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_postgres::types::FromSqlOwned;

/// For how long a snapshot is shown to whoever asks.
const FRESH: Duration = Duration::from_millis(1500);
/// Older figures than that are no figures.
const LATE: Duration = Duration::from_secs(40);
/// For how long a page waits for new ones.
const MOMENT: Duration = Duration::from_millis(120);
/// For how long the answer of `pgq.health()` is.
const CHECKED: Duration = Duration::from_secs(10);
/// For how long a page waits for the log to be read; the rest comes a moment later.
const PATIENCE: Duration = Duration::from_millis(100);

pub struct Snapshot {
    /// By the database's clock.
    pub at: DateTime<Utc>,
    pub figures: Figures,
    pub minutes: Vec<Option<Arc<Minute>>>,
    pub samples: Vec<Option<Sample>>,
    pub checks: Arc<Vec<Check>>,
    /// How often something had been changed from here when it was begun.
    changes: u64,
    made: Instant,
    checked: Instant,
}

impl Snapshot {
    /// The same for two snapshots between which nothing happened.
    pub fn mark(&self) -> (u64, usize) {
        (self.figures.mark(), self.minutes.iter().flatten().count())
    }

    /// How many checks of the queue's health say that something is wrong.
    pub fn ills(&self) -> usize {
        self.checks.iter().filter(|check| !check.ok).count()
    }
}

impl App {
    /// The figures for a page: new ones, if they can be had within a moment. Those that there are will do meanwhile, unless
    /// something was changed from here; an open page is told when the new ones come.
    pub async fn snapshot(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let last = self.last().filter(|last| last.changes == self.changes() && last.made.elapsed() < LATE);
        let Some(last) = last else { return self.newest().await };
        if last.made.elapsed() < FRESH {
            return Ok(last);
        }
        let app = self.clone();
        let making = tokio::spawn(async move { app.newest().await });
        match tokio::time::timeout(MOMENT, making).await {
            Ok(made) => made.map_err(Failure::broken)?,
            Err(_) => Ok(last),
        }
    }

    /// The figures, at most a second and a half old.
    pub async fn newest(self: &Arc<Self>) -> Result<Arc<Snapshot>> {
        let asked = Instant::now();
        let _making = self.making.lock().await;
        let changes = self.changes();
        let last = self.last();
        if let Some(last) =
            last.as_ref().filter(|last| last.changes == changes && asked.saturating_duration_since(last.made) < FRESH)
        {
            return Ok(last.clone());
        }
        let snapshot = Arc::new(self.make(last.as_deref(), changes).await?);
        self.keep(snapshot.clone());
        Ok(snapshot)
    }

    async fn make(self: &Arc<Self>, last: Option<&Snapshot>, changes: u64) -> Result<Snapshot> {
        let at = self.now().await?;
        let asked = async { tokio::try_join!(self.figures(), self.checks(last)) };
        let (asked, ()) = tokio::join!(asked, read_log(self.clone(), at));
        let (figures, (checks, checked)) = asked?;
        self.history.note(at, &figures);
        let (minutes, samples) = (self.hour.minutes(at), self.history.samples(at));
        Ok(Snapshot { at, figures, minutes, samples, checks, changes, made: Instant::now(), checked })
    }
}

impl App {
    /// By the database's clock.
    async fn now(&self) -> Result<DateTime<Utc>> {
        self.value(sql!("now")).await
    }

    async fn figures(&self) -> Result<Figures> {
        Ok(Figures::read(&self.value::<String>(sql!("metrics")).await?, &self.options.prefix))
    }

    async fn value<T: FromSqlOwned>(&self, sql: &str) -> Result<T> {
        let mut lent = self.lend().await?;
        let answer = raw(&lent.read().await?, sql, &[]).await?;
        column(answer.first().ok_or_else(|| Failure::broken("no row came back"))?, 0)
    }

    /// What `pgq.health()` says, and when it was asked.
    async fn checks(&self, last: Option<&Snapshot>) -> Result<(Arc<Vec<Check>>, Instant)> {
        if let Some(last) = last.filter(|last| last.checked.elapsed() < CHECKED) {
            return Ok((last.checks.clone(), last.checked));
        }
        let mut lent = self.lend().await?;
        let checks = checks(&lent.read().await?).await?;
        Ok((Arc::new(checks), Instant::now()))
    }
}

/// Goes on behind the page where it takes longer, and tells the viewers when it is done.
async fn read_log(app: Shared, now: DateTime<Utc>) {
    let reading = tokio::spawn(async move {
        let begun = Instant::now();
        match hour::fill(app.clone(), now).await {
            Err(failure) => tracing::warn!(title = failure.title, "the log of the last hour could not be read"),
            // The page was shown without it.
            Ok(true) if begun.elapsed() > PATIENCE => app.changed(),
            Ok(_) => {}
        }
    });
    // Dropped, it goes on.
    tokio::time::timeout(PATIENCE, reading).await.ok();
}
