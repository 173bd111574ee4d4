//! A worker's options, checked when it is built.

use super::handler::Handler;
use super::middleware::Middleware;
use super::{Entrypoint, Options, Worker};
use crate::backend::Backend;
use crate::error::{Error, Result};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// Makes a [`Worker`].
#[must_use = "a worker is made by build()"]
pub struct WorkerBuilder<S = ()> {
    backend: Arc<dyn Backend>,
    state: Arc<S>,
    entrypoints: Vec<Entrypoint<S>>,
    around: Vec<Arc<dyn Middleware<S>>>,
    options: Options,
}

impl<S: Send + Sync + 'static> WorkerBuilder<S> {
    pub(super) fn new(backend: Arc<dyn Backend>, state: Arc<S>) -> Self {
        Self { backend, state, entrypoints: vec![], around: vec![], options: Options::default() }
    }

    /// Runs jobs of an entrypoint by `handler`.
    pub fn entrypoint(self, name: impl Into<String>, handler: impl Handler<S>) -> Self {
        self.register(Entrypoint::new(name, handler))
    }

    /// Runs jobs of an entrypoint that has options of its own.
    pub fn register(mut self, entrypoint: Entrypoint<S>) -> Self {
        self.entrypoints.push(entrypoint);
        self
    }

    /// Runs around every attempt; the first one given is the outermost.
    pub fn middleware(mut self, middleware: impl Middleware<S>) -> Self {
        self.around.push(Arc::new(middleware));
        self
    }

    /// How many jobs run at one time in this process, at least 1; 10 if not given.
    pub fn concurrency(mut self, jobs: usize) -> Self {
        self.options.concurrency = jobs;
        self
    }

    /// How long the claims live when nothing is heard of this process, at least 1 s; 30 s if not given. A heartbeat is sent
    /// each third of it, while jobs run.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.options.lease = lease;
        self
    }

    /// How long a shutdown waits for jobs that run, before it gives them back; 30 s if not given. Where the queue does not
    /// answer, or a handler blocks its thread, it takes up to 7 s more.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.options.shutdown_timeout = timeout;
        self
    }

    /// How often to look for jobs while the queue cannot be listened to, more than 0; 1 s if not given.
    pub fn poll_interval(mut self, interval: Duration) -> Self {
        self.options.poll_interval = interval;
        self
    }

    /// Checks the options. Nothing connects yet.
    ///
    /// # Errors
    /// [`Error::Option`] for no entrypoint, two of one name, a name that is not 1 to 255 bytes long, or an option out of
    /// its range.
    pub fn build(self) -> Result<Worker<S>> {
        check(&self.options)?;
        let mut entrypoints = HashMap::new();
        for entrypoint in self.entrypoints {
            let name = entrypoint.name.clone();
            if !(1..=255).contains(&name.len()) {
                return Err(Error::Option(format!("the entrypoint \"{name}\" must have 1 to 255 bytes")));
            }
            if entrypoint.permits.as_ref().is_some_and(|permits| permits.available_permits() == 0) {
                return Err(Error::Option(format!("the concurrency of \"{name}\" must be at least 1")));
            }
            if entrypoints.insert(name.clone(), Arc::new(entrypoint)).is_some() {
                return Err(Error::Option(format!("the entrypoint \"{name}\" is registered twice")));
            }
        }
        if entrypoints.is_empty() {
            return Err(Error::Option("a worker needs at least one entrypoint".into()));
        }
        let Self { backend, state, around, options, .. } = self;
        Ok(Worker { backend, state, entrypoints, around: around.into(), options })
    }
}

fn check(options: &Options) -> Result<()> {
    let most = tokio::sync::Semaphore::MAX_PERMITS.min(i32::MAX as usize);
    if !(1..=most).contains(&options.concurrency) {
        return Err(Error::Option(format!("concurrency must be from 1 to {most}, and is {}", options.concurrency)));
    }
    if options.lease < Duration::from_secs(1) {
        return Err(Error::Option(format!("lease must be at least 1 s, and is {:?}", options.lease)));
    }
    if options.poll_interval.is_zero() {
        return Err(Error::Option("poll_interval must be more than 0".into()));
    }
    Ok(())
}
