//! The databases that are told of: one, or all of the server that have a queue. They are asked one after the other.

use super::choice::Limits;
use super::look::Look;
use super::queue::{Found, Queue};
use crate::bounded::Looks;
use crate::connect::Server;
use crate::error::{Error, Result};
use crate::sql;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// How often it is asked which databases there are, and which of them have a queue by now.
const FIND: Duration = Duration::from_secs(60);
/// A look takes no longer than one answer may, and this: 8 seconds, where Prometheus waits for 10. What was not asked by then
/// counts as not answering.
const MORE: Duration = Duration::from_secs(3);

pub struct Cluster {
    home: Server,
    patience: Duration,
    limits: Limits,
    queues: BTreeMap<String, Queue>,
    /// For all of the server: where it is asked which there are, and when it was.
    finder: Option<(Looks, Option<Instant>)>,
}

impl Cluster {
    pub fn new(home: Server, all: bool, patience: Duration, limits: Limits) -> Result<Self> {
        let (mut queues, mut finder) = (BTreeMap::new(), None);
        if all {
            finder = Some((Looks { queue: home.queue()?.pool_size(1), patience }, None));
        } else {
            queues.insert(home.database().to_owned(), Queue::new(home.clone(), patience)?);
        }
        Ok(Self { home, patience, limits, queues, finder })
    }

    /// Looks at each database. Those that did not answer last time come last: they do not take the time of the others.
    pub async fn look(&mut self) -> Look {
        let deadline = Instant::now() + self.patience + MORE;
        let failure = self.find().await.err();
        let mut names: Vec<(bool, String)> =
            self.queues.values().map(|queue| (queue.ill, queue.name().to_owned())).collect();
        names.sort();
        let mut databases = vec![];
        for (_, name) in names {
            databases.extend(self.look_at(&name, deadline).await);
        }
        if databases.is_empty() {
            let home = |failure| Found::failed(self.home.database(), failure);
            databases.extend(failure.map(home));
        }
        databases.sort_by(|one, other| one.database.cmp(&other.database));
        Look { databases, made: Instant::now() }
    }

    /// None for one of all databases that has no queue: it is looked for again with the next ones.
    async fn look_at(&mut self, name: &str, deadline: Instant) -> Option<Found> {
        let queue = self.queues.get_mut(name)?;
        let found = tokio::time::timeout_at(deadline.into(), queue.look(&self.limits)).await;
        let late = || pgqueuer_client::Error::Timeout(self.patience + MORE).into();
        let found = found.unwrap_or_else(|_| Found::failed(name, late()));
        queue.ill = found.failure.is_some();
        if self.finder.is_some() {
            queue.leave();
            if found.failure.as_ref().is_some_and(has_no_queue) {
                self.queues.remove(name);
                return None;
            }
        }
        Some(found)
    }

    /// Says what is new since the last time, for whoever reads the log of this process.
    pub fn say(&mut self, look: &Look) {
        for found in &look.databases {
            match self.queues.get_mut(&found.database) {
                Some(queue) => queue.say(found),
                None => found.failure.iter().for_each(Error::print),
            }
        }
    }

    /// Looks for databases that are new, and forgets those that are gone.
    async fn find(&mut self) -> Result<()> {
        let Some((looks, found)) = &mut self.finder else { return Ok(()) };
        if found.is_some_and(|found| found.elapsed() < FIND) {
            return Ok(());
        }
        let rows = looks.rows(sql!("databases"), &[]).await.map_err(|error| error.at(&self.home))?;
        looks.queue.pool().retain(|_, _| false);
        let names: BTreeSet<String> =
            rows.iter().filter_map(|row| row.get("name")?.as_str().map(str::to_owned)).collect();
        self.queues.retain(|name, _| names.contains(name));
        for name in names {
            if !self.queues.contains_key(&name) {
                let queue = Queue::new(self.home.of_database(&name), self.patience)?;
                self.queues.insert(name, queue);
            }
        }
        *found = Some(Instant::now());
        Ok(())
    }
}

/// No schema, or no such function in it.
fn has_no_queue(error: &Error) -> bool {
    matches!(error, Error::Queue(error) if error.sqlstate().is_some_and(|state| ["3F000", "42883"].contains(&state)))
}
