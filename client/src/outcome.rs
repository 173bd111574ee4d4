//! How an attempt went, in the words of the handler.

use serde_json::{Map, Value};
use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

/// How an attempt went. A handler returns this, `()`, or a `Result` of one of them with any error.
///
/// ```
/// # use pgqueuer_client::{BoxError, Context, Memory, NewJob, Outcome, Producer, Status, Worker};
/// # use std::time::Duration;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), pgqueuer_client::BoxError> {
/// # let queue = Memory::at("2030-01-01T00:00:00Z".parse()?);
/// async fn fetch(context: Context) -> Result<Outcome, BoxError> {
///     match context.job.text()? {
///         "busy" if context.job.attempts == 0 => Ok(Outcome::retry(Duration::from_secs(1))),
///         "gone" => Ok(Outcome::hold("404")),
///         "down" => Err("no answer".into()),
///         _ => Ok(Outcome::Done),
///     }
/// }
/// queue.enqueue_many(vec![NewJob::new("fetch").payload("gone"), NewJob::new("fetch").payload("there")]).await?;
/// Worker::builder(queue.clone()).entrypoint("fetch", fetch).build()?.drain().await?;
/// assert_eq!(queue.status(&[1, 2]).await?.iter().map(|job| job.status).collect::<Vec<_>>(), [Status::Failed, Status::Successful]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub enum Outcome {
    /// The job is done.
    Done,
    /// Again after so long, for this reason; does not count as a failure.
    Retry(Duration, Option<String>),
    /// The attempt failed: again after the entrypoint's backoff, while attempts are left.
    Fail(Failure),
    /// Trying again is of no use: the job is held as `failed` at once.
    Hold(Failure),
    /// Given back: queued at once, the attempt not counted and not logged. For a worker that is about to stop, and ends its
    /// handlers itself: one that goes on may claim the same job at once, again and again.
    Release,
}

/// Any error, or a text.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// Why an attempt failed.
///
/// It becomes the `error` of the job's log: `message`, the `causes` beneath it, and the `backtrace` of a panic.
#[derive(Debug)]
pub struct Failure {
    message: String,
    causes: Vec<String>,
    backtrace: Option<String>,
}

impl Failure {
    /// A failure that an error or a text describes.
    pub fn new(error: impl Into<BoxError>) -> Self {
        let error = error.into();
        let mut causes = vec![];
        let mut below = error.source();
        while let Some(cause) = below {
            causes.push(cause.to_string());
            below = cause.source();
        }
        Self { message: error.to_string(), causes, backtrace: None }
    }

    /// Of an attempt whose result the queue does not take.
    pub(crate) fn refused(error: crate::Error) -> Self {
        let Self { message, mut causes, .. } = Self::new(error);
        causes.insert(0, message);
        Self { message: "the queue refused the result of the attempt".to_owned(), causes, backtrace: None }
    }

    pub(crate) fn with_backtrace(mut self, backtrace: Option<String>) -> Self {
        self.backtrace = backtrace;
        self
    }

    /// The `error` of the job's log. PostgreSQL cannot keep a NUL: it is shown as U+FFFD.
    pub fn to_json(&self) -> Value {
        let text = |text: &str| Value::from(storable(text.to_owned()));
        let mut error = Map::from_iter([("message".to_owned(), text(&self.message))]);
        if !self.causes.is_empty() {
            error.insert("causes".to_owned(), self.causes.iter().map(|cause| text(cause)).collect());
        }
        if let Some(backtrace) = &self.backtrace {
            error.insert("backtrace".to_owned(), text(backtrace));
        }
        error.into()
    }
}

/// A text that PostgreSQL can keep.
pub(crate) fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Outcome {
    /// [`Outcome::Retry`] after `delay`.
    pub fn retry(delay: Duration) -> Self {
        Self::Retry(delay, None)
    }

    /// [`Outcome::Fail`] with an error or a text.
    pub fn fail(error: impl Into<BoxError>) -> Self {
        Self::Fail(Failure::new(error))
    }

    /// [`Outcome::Hold`] with an error or a text.
    pub fn hold(error: impl Into<BoxError>) -> Self {
        Self::Hold(Failure::new(error))
    }
}

impl From<()> for Outcome {
    fn from((): ()) -> Self {
        Self::Done
    }
}

impl<T: Into<Outcome>, E: Into<BoxError>> From<Result<T, E>> for Outcome {
    fn from(result: Result<T, E>) -> Self {
        result.map_or_else(Self::fail, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_error_becomes_its_message_and_its_causes() {
        let error = crate::Error::refused("22023", "outer", None, None);
        let Outcome::Fail(failure) = Outcome::from(Err::<(), _>(error)) else { panic!("not a failure") };
        assert_eq!(failure.to_json(), json!({ "message": "outer", "causes": ["SQLSTATE 22023"] }));
    }

    #[test]
    fn a_nul_does_not_make_the_error_unstorable() {
        assert_eq!(Failure::new("a\0b").to_json(), json!({ "message": "a\u{FFFD}b" }));
    }

    #[test]
    fn what_handlers_return_is_an_outcome() {
        assert!(matches!(Outcome::from(()), Outcome::Done));
        assert!(matches!(Outcome::from(Ok::<(), BoxError>(())), Outcome::Done));
        assert!(matches!(Outcome::from(Err::<(), _>("text")), Outcome::Fail(_)));
        let retry = Ok::<_, BoxError>(Outcome::retry(Duration::ZERO));
        assert!(matches!(Outcome::from(retry), Outcome::Retry(Duration::ZERO, None)));
    }
}
