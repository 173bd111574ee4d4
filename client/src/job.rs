//! A job as a worker gets it, and what is known of one by its id.

use crate::error::{Error, Result};
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// A claimed job.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Job {
    /// Its id, unique in its database.
    pub id: i64,
    /// What kind of work it is.
    pub entrypoint: String,
    /// The bytes that were enqueued.
    pub payload: Option<Vec<u8>>,
    /// Trace context and other metadata; empty where there are none.
    pub headers: Map<String, Value>,
    /// Higher first.
    pub priority: i32,
    /// How many earlier attempts there were: 0 on the first.
    pub attempts: i32,
    /// When it was enqueued.
    pub created: DateTime<Utc>,
    /// Its earliest start.
    pub execute_after: DateTime<Utc>,
    /// When it was claimed, by the server's clock.
    pub picked: DateTime<Utc>,
    /// Unique among queued and picked jobs.
    pub dedupe_key: Option<String>,
    /// Jobs with one key run one at a time, in order of enqueue.
    pub ordering_key: Option<String>,
}

impl Job {
    /// The payload; empty where there is none.
    pub fn bytes(&self) -> &[u8] {
        self.payload.as_deref().unwrap_or_default()
    }

    /// The payload as text.
    ///
    /// # Errors
    /// [`Error::Payload`] where it is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        text(self.bytes())
    }

    /// The payload, read as JSON. A job without payload reads as `null`.
    ///
    /// ```
    /// # use pgqueuer_client::{BoxError, Context};
    /// #[derive(serde::Deserialize)]
    /// struct Mail { to: String }
    ///
    /// async fn send(context: Context) -> Result<(), BoxError> {
    ///     let mail: Mail = context.job.json()?;
    ///     println!("to {}", mail.to);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error::Payload`] where it is not JSON, or not of that shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        json(self.payload.as_deref())
    }

    /// A header that is a text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.as_str()
    }
}

/// A payload as text.
pub(crate) fn text(payload: &[u8]) -> Result<&str> {
    let not_utf8 = |error: std::str::Utf8Error| Error::Payload(serde::de::Error::custom(error));
    std::str::from_utf8(payload).map_err(not_utf8)
}

/// A payload, read as JSON; none reads as `null`.
pub(crate) fn json<T: DeserializeOwned>(payload: Option<&[u8]>) -> Result<T> {
    Ok(serde_json::from_slice(payload.unwrap_or(b"null"))?)
}

/// What a job is, or how it ended: `pgq.job_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits for a worker, or for its time.
    Queued,
    /// A worker holds it.
    Picked,
    /// Given up, and held with its error until somebody requeues or deletes it.
    Failed,
    /// Ended: done.
    Successful,
    /// Ended: given up and removed.
    Exception,
    /// Ended: canceled.
    Canceled,
    /// Ended: deleted.
    Deleted,
    /// Of an attempt: it failed or asked for it, and the job was queued again.
    Retried,
    /// Of an attempt: its worker was lost, and the job was queued again.
    Released,
}

impl Status {
    /// All, in the order of the SQL type.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Picked,
        Self::Failed,
        Self::Successful,
        Self::Exception,
        Self::Canceled,
        Self::Deleted,
        Self::Retried,
        Self::Released,
    ];

    /// The SQL word.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Picked => "picked",
            Self::Failed => "failed",
            Self::Successful => "successful",
            Self::Exception => "exception",
            Self::Canceled => "canceled",
            Self::Deleted => "deleted",
            Self::Retried => "retried",
            Self::Released => "released",
        }
    }

    /// The status of an SQL word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether nothing more happens to the job by itself: what `wait_for` waits for.
    pub const fn is_end(self) -> bool {
        matches!(self, Self::Failed | Self::Successful | Self::Exception | Self::Canceled | Self::Deleted)
    }
}

/// What is known of a job by its id.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct JobStatus {
    /// The job.
    pub id: i64,
    /// What it is, or how it ended.
    pub status: Status,
    /// Attempts before the last one.
    pub attempts: i32,
    /// What its last failed attempt said.
    pub error: Option<Value>,
    /// When it ended; none while it lives.
    pub finished_at: Option<DateTime<Utc>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_a_status() {
        assert!(Status::ALL.into_iter().all(|status| Status::of(status.word()) == Some(status)));
        assert_eq!(Status::of("done"), None);
    }
}
