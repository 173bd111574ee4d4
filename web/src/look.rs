//! The queue's figures and lists for a dashboard of another kind: `pgq top` shows them in a terminal.
//!
//! What stands behind them is what stands behind the pages: the same statements, in transactions that only read, read a
//! bounded number of rows, end within five seconds and take no lock that a worker waits for. Rows of lists come as whatever
//! serde makes of them; their fields are those of the files in `src/sql`.

use crate::app::{App, Shared};
use crate::failure::Failure;
use crate::find::{Wanted, find_some};
use crate::options::Options;
use crate::page::jobs::listed;
use crate::page::{schedules, workers};
use chrono::{DateTime, Utc};
use pgqueuer_client::Postgres;
use serde::de::DeserializeOwned;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use crate::figures::{Bounds, Entrypoint, Figures, Histogram};
pub use crate::hour::{Minute, Tally};

/// Why there is nothing to see: what happened, and what to do.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{title}. {detail}")]
pub struct Unseen {
    /// In a few words.
    pub title: String,
    /// In a sentence or two.
    pub detail: String,
}

impl From<Failure> for Unseen {
    fn from(failure: Failure) -> Self {
        Self { title: failure.title, detail: failure.detail }
    }
}

/// The queue at one moment.
#[derive(Debug, Clone)]
pub struct Seen {
    /// By the database's clock.
    pub at: DateTime<Utc>,
    /// What is there.
    pub figures: Figures,
    /// What ended in each minute of the last hour, the oldest first; none where the log has not been read yet.
    pub minutes: Vec<Option<Arc<Minute>>>,
    /// What `pgq.health()` says is wrong.
    pub ills: Vec<String>,
}

/// Looks at a queue, when it is asked to.
pub struct Look(Shared);

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Look")
    }
}

impl Look {
    /// At the entrypoints of a queue that begin with `prefix`.
    pub fn new(queue: Postgres, prefix: &str) -> Self {
        Self(App::unwatched(queue, Options::default().prefix(prefix)))
    }

    /// The figures of now. Where the log of the last hour cannot be read in a moment, its reading goes on behind; `patience`
    /// is for how long that is waited for.
    ///
    /// # Errors
    /// Where the database does not answer, or refuses.
    pub async fn seen(&self, patience: Duration) -> Result<Seen, Unseen> {
        // Figures that are there already are of the last look.
        self.0.changed();
        let snapshot = self.0.newest().await?;
        tokio::time::timeout(patience, self.0.hour.read()).await.ok();
        Ok(Seen {
            at: snapshot.at,
            figures: snapshot.figures.clone(),
            minutes: self.0.hour.minutes(snapshot.at),
            ills: snapshot.checks.iter().filter(|check| !check.ok).map(|check| check.check.clone()).collect(),
        })
    }

    /// Jobs that somebody holds, those that have been held for the longest time first: rows of `longest.sql`.
    ///
    /// # Errors
    /// As [`seen`](Self::seen).
    pub async fn in_flight<T: DeserializeOwned>(&self, most: i64) -> Result<Vec<T>, Unseen> {
        let mut lent = self.0.lend().await?;
        Ok(workers::longest(&lent.read().await?, &self.0, most).await?)
    }

    /// Failed jobs, the last one first, of one entrypoint (by its name in the database) or of all: rows of `jobs.sql`.
    ///
    /// # Errors
    /// As [`seen`](Self::seen).
    pub async fn failed<T: DeserializeOwned>(&self, entrypoint: Option<&str>, most: usize) -> Result<Vec<T>, Unseen> {
        let mut lent = self.0.lend().await?;
        let read = lent.read().await?;
        let found = find_some(&read, &self.0, Wanted::Failed { entrypoint }, None, most).await?;
        Ok(listed(&read, &self.0, &found.ids).await?)
    }

    /// Workers, the busiest first: rows of `workers.sql`.
    ///
    /// # Errors
    /// As [`seen`](Self::seen).
    pub async fn workers<T: DeserializeOwned>(&self, most: i64) -> Result<Vec<T>, Unseen> {
        let mut lent = self.0.lend().await?;
        Ok(workers::workers(&lent.read().await?, &self.0, most).await?)
    }

    /// Schedules, by name: rows of `schedules.sql`.
    ///
    /// # Errors
    /// As [`seen`](Self::seen).
    pub async fn schedules<T: DeserializeOwned>(&self, most: i64) -> Result<Vec<T>, Unseen> {
        let mut lent = self.0.lend().await?;
        Ok(schedules::schedules(&lent.read().await?, &self.0, "", most).await?)
    }
}
