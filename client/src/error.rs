//! What can go wrong, for producers and workers alike.

use std::error::Error as StdError;

/// Why a call failed. `Display` says what this error is and no more; `source()` has the cause.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The queue refused the call. Nothing has changed.
    #[error("{}", .0.message)]
    Refused(#[source] Box<Refusal>),
    /// There is no connection, or it was lost in the middle: whether the call took effect is not known.
    #[error("the connection to the server failed")]
    Connection(#[source] Box<dyn StdError + Send + Sync>),
    /// The server did not answer in time: whether the call took effect is not known.
    #[error("the server did not answer within {} s", .0.as_secs_f32())]
    Timeout(std::time::Duration),
    /// A payload or a header could not be written as JSON, or not be read as what was asked for.
    #[error("the payload is not what was expected")]
    Payload(#[from] serde_json::Error),
    /// An option is out of its range. Nothing was started.
    #[error("{0}")]
    Option(String),
    /// The server answered in a way that its SQL contract does not allow.
    #[error("unexpected answer of the server")]
    Answer(#[source] Box<dyn StdError + Send + Sync>),
}

/// What the queue says when it refuses a call: PostgreSQL's fields.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SQLSTATE {sqlstate}{}{}", .detail.as_deref().map(|d| format!(": {d}")).unwrap_or_default(), .hint.as_deref().map(|h| format!(" ({h})")).unwrap_or_default())]
pub struct Refusal {
    /// Five characters: `22023` for a bad argument, `23505` for a dedupe key that lives.
    pub sqlstate: String,
    /// What is wrong, naming the argument.
    pub message: String,
    /// The values in question.
    pub detail: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// What every call of this crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn refused(
        sqlstate: &str,
        message: impl Into<String>,
        detail: Option<String>,
        hint: Option<&str>,
    ) -> Self {
        let hint = hint.map(str::to_owned);
        Self::Refused(Box::new(Refusal { sqlstate: sqlstate.to_owned(), message: message.into(), detail, hint }))
    }

    /// The SQLSTATE, where the queue refused the call.
    pub fn sqlstate(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => Some(&refusal.sqlstate),
            _ => None,
        }
    }

    /// Whether a live job has the dedupe key already (`23505`).
    pub fn is_duplicate(&self) -> bool {
        self.sqlstate() == Some("23505")
    }

    /// Whether the same call can succeed later without anybody changing the program: the server restarts, fails over,
    /// is full, or two transactions met.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connection(_) | Self::Timeout(_) => true,
            Self::Refused(refusal) => is_transient(&refusal.sqlstate),
            _ => false,
        }
    }
}

/// Classes 08 (connection), 40 (serialization), 53 (resources), 57P (shutdown), 58 (system), and a server that is, or has
/// become, a standby.
fn is_transient(sqlstate: &str) -> bool {
    ["08", "40", "53", "57P", "58"].iter().any(|class| sqlstate.starts_with(class)) || sqlstate == "25006"
}

impl From<tokio_postgres::Error> for Error {
    fn from(error: tokio_postgres::Error) -> Self {
        if let Some(refusal) = error.as_db_error() {
            let detail = refusal.detail().map(str::to_owned);
            return Self::refused(refusal.code().code(), refusal.message(), detail, refusal.hint());
        }
        // `tokio-postgres` tells its other kinds apart by their text alone.
        let text = error.to_string();
        if OPTIONS.iter().any(|kind| text.starts_with(kind)) {
            Self::Option(chain(&error))
        } else if VALUES.iter().any(|kind| text.starts_with(kind)) {
            Self::Answer(Box::new(error))
        } else {
            Self::Connection(Box::new(error))
        }
    }
}

/// No time heals these: no password is given, or there is no such way to log in.
const OPTIONS: [&str; 2] = ["invalid configuration", "authentication error"];
/// A value could not be written or read; the connection is well.
const VALUES: [&str; 5] =
    ["error serializing", "error deserializing", "error encoding", "invalid column", "query returned"];

/// An error and all that is beneath it, in one line.
pub(crate) fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text = format!("{text}: {cause}");
        below = cause.source();
    }
    text
}

impl From<deadpool_postgres::PoolError> for Error {
    fn from(error: deadpool_postgres::PoolError) -> Self {
        match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            error => Self::Connection(Box::new(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_everything_once() {
        let error =
            Error::refused("22023", "entrypoint must not be empty", Some("It is \"\".".into()), Some("Name it."));
        assert_eq!(error.to_string(), "entrypoint must not be empty");
        assert_eq!(error.source().unwrap().to_string(), "SQLSTATE 22023: It is \"\". (Name it.)");
    }

    #[tokio::test]
    async fn an_address_that_no_server_could_be_asked_by_is_no_lost_connection() {
        let nobody = tokio_postgres::Config::new().connect(tokio_postgres::NoTls).await.err().unwrap();
        let error = Error::from(nobody);
        assert!(matches!(error, Error::Option(_)) && !error.is_transient(), "{error:?}");
        assert_eq!(error.to_string(), "invalid configuration: both host and hostaddr are missing");
    }

    #[test]
    fn knows_what_passes_by_itself() {
        let refused = |sqlstate| Error::refused(sqlstate, "", None, None).is_transient();
        assert!(["57P01", "57P03", "40001", "53300", "25006", "08006"].into_iter().all(refused));
        assert!(!["22023", "23505", "42501", "57014", "55000"].into_iter().any(refused));
    }
}
