//! A job that is to be enqueued.

use crate::error::Result;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use std::time::Duration;

/// A job that is to be enqueued.
///
/// ```
/// # use pgqueuer_client::NewJob;
/// # use std::time::Duration;
/// # fn main() -> Result<(), pgqueuer_client::Error> {
/// let job = NewJob::new("mail")
///     .json(&serde_json::json!({ "to": "you@example.org" }))?
///     .priority(5)
///     .delay(Duration::from_secs(60))
///     .dedupe_key("welcome-7");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use = "a job is enqueued by Producer::enqueue"]
pub struct NewJob {
    pub(crate) entrypoint: String,
    pub(crate) payload: Option<Vec<u8>>,
    pub(crate) priority: i32,
    pub(crate) start: Start,
    pub(crate) dedupe_key: Option<String>,
    pub(crate) on_conflict: OnConflict,
    pub(crate) headers: Map<String, Value>,
    pub(crate) ordering_key: Option<String>,
}

/// The earliest start of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    Now,
    At(DateTime<Utc>),
    After(Duration),
}

/// What happens where a live job has the dedupe key already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    /// The call fails with [`is_duplicate`](crate::Error::is_duplicate).
    #[default]
    Raise,
    /// Nothing is enqueued.
    Skip,
    /// Payload, priority, headers and start of the queued job are replaced; one that is picked already stays.
    Replace,
}

impl OnConflict {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Raise => "raise",
            Self::Skip => "skip",
            Self::Replace => "replace",
        }
    }
}

impl NewJob {
    /// A job of `entrypoint` (1 to 255 bytes), without payload, to run now.
    pub fn new(entrypoint: impl Into<String>) -> Self {
        Self {
            entrypoint: entrypoint.into(),
            payload: None,
            priority: 0,
            start: Start::Now,
            dedupe_key: None,
            on_conflict: OnConflict::Raise,
            headers: Map::new(),
            ordering_key: None,
        }
    }

    /// The payload: `value` as JSON.
    ///
    /// # Errors
    /// [`Error::Payload`](crate::Error::Payload) where it cannot be written as JSON.
    pub fn json(mut self, value: &(impl Serialize + ?Sized)) -> Result<Self> {
        self.payload = Some(serde_json::to_vec(value)?);
        Ok(self)
    }

    /// The payload: bytes, or a text.
    pub fn payload(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.payload = Some(bytes.into());
        self
    }

    /// Higher first; 0 where it is not given.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// Not before so long from now, by the server's clock.
    pub fn delay(mut self, delay: Duration) -> Self {
        self.start = Start::After(delay);
        self
    }

    /// Not before that time.
    pub fn execute_after(mut self, time: DateTime<Utc>) -> Self {
        self.start = Start::At(time);
        self
    }

    /// Unique among the queued and picked jobs of all entrypoints.
    pub fn dedupe_key(mut self, key: impl Into<String>) -> Self {
        self.dedupe_key = Some(key.into());
        self
    }

    /// What happens where a live job has the dedupe key already.
    pub fn on_conflict(mut self, on_conflict: OnConflict) -> Self {
        self.on_conflict = on_conflict;
        self
    }

    /// Metadata that the worker sees beside the payload.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    /// Jobs of one entrypoint and key run one at a time, in order of enqueue.
    pub fn ordering_key(mut self, key: impl Into<String>) -> Self {
        self.ordering_key = Some(key.into());
        self
    }
}
