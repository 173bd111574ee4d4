//! Every error that a user can meet, and what it is reported as. `docs/errors.md` is the sheet.

use pgrx::PgSqlErrorCode as Code;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::PgLogLevel;

/// What can go wrong. `Display` is the primary message.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An argument is not what it must be.
    #[error("{message}")]
    Argument {
        /// Names the argument and says what it must be.
        message: String,
        /// What was given.
        detail: Option<String>,
        /// What to give.
        hint: String,
    },
    /// A dedupe key is taken.
    #[error("dedupe_key belongs to another job")]
    Duplicate {
        /// Names the key.
        detail: Option<String>,
    },
    /// The dedupe key of a job to be imported is taken.
    #[error("dedupe_keys must be free")]
    Taken {
        /// The first that is not.
        key: String,
    },
    /// The library is not preloaded.
    #[error("{function} needs the library pgqueuer to be preloaded")]
    NotPreloaded {
        /// The function that was called.
        function: &'static str,
    },
    /// A set-returning function outside FROM.
    #[error("{function} must stand in FROM")]
    NotInFrom {
        /// The function that was called.
        function: &'static str,
    },
    /// A procedure that waits, where it could not commit.
    #[error("{procedure} cannot be called inside a transaction block, a function or a pipeline")]
    InTransaction {
        /// The procedure that was called.
        procedure: &'static str,
    },
    /// PREPARE TRANSACTION after a claim or an end of one.
    #[error("a transaction that has claimed or finished jobs cannot be prepared")]
    Prepare,
    /// UPDATE or DELETE on pgq.jobs.
    #[error("{command} on pgq.jobs is not possible")]
    NotByHand {
        /// The command.
        command: &'static str,
    },
    /// The extension is not there (any more).
    #[error("relation pgq.{name} does not exist")]
    Gone {
        /// The relation.
        name: String,
    },
    /// A table in shared memory has no room.
    #[error("there are too many named workers")]
    TooManyWorkers {
        /// For how many it has room.
        room: u64,
    },
    /// Something that cannot be.
    #[error("internal error: {0}")]
    Broken(String),
}

impl Error {
    /// An argument that is not what it must be.
    pub fn argument(name: &str, must: &str, detail: impl Into<Option<String>>, hint: &str) -> Self {
        Self::Argument { message: format!("{name} must {must}"), detail: detail.into(), hint: hint.to_owned() }
    }

    /// The same with another hint, where it is about an argument.
    pub fn with_hint(self, hint: &str) -> Self {
        match self {
            Self::Argument { message, detail, .. } => Self::Argument { message, detail, hint: hint.to_owned() },
            other => other,
        }
    }

    fn code(&self) -> Code {
        match self {
            Self::Argument { .. } => Code::ERRCODE_INVALID_PARAMETER_VALUE,
            Self::Duplicate { .. } | Self::Taken { .. } => Code::ERRCODE_UNIQUE_VIOLATION,
            Self::NotPreloaded { .. } => Code::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
            Self::NotInFrom { .. } | Self::Prepare | Self::NotByHand { .. } => Code::ERRCODE_FEATURE_NOT_SUPPORTED,
            Self::Gone { .. } => Code::ERRCODE_UNDEFINED_TABLE,
            Self::InTransaction { .. } => Code::ERRCODE_ACTIVE_SQL_TRANSACTION,
            Self::TooManyWorkers { .. } => Code::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
            Self::Broken(_) => Code::ERRCODE_INTERNAL_ERROR,
        }
    }

    fn detail(&self) -> Option<String> {
        match self {
            Self::Argument { detail, .. } | Self::Duplicate { detail } => detail.clone(),
            Self::Taken { key } => Some(format!("Key (dedupe_key)=({key}) already exists.")),
            Self::TooManyWorkers { room } => Some(format!("There is room for {room}, and all of them hold jobs.")),
            _ => None,
        }
    }

    fn hint(&self) -> String {
        match self {
            Self::Argument { hint, .. } => hint.clone(),
            Self::Duplicate { .. } => {
                "Call pgq.enqueue with on_conflict => 'skip' to leave that job as it is, or 'replace' to rewrite it."
                    .to_owned()
            }
            Self::Taken { .. } => "Pass on_conflict => 'skip' to leave such jobs out.".to_owned(),
            Self::NotPreloaded { .. } => PRELOAD.to_owned(),
            Self::NotInFrom { function } => format!("Write SELECT * FROM {function}(…)."),
            Self::Gone { .. } => "The extension was dropped: CREATE EXTENSION pgqueuer makes it anew.".to_owned(),
            Self::InTransaction { procedure } => {
                format!("Send CALL {procedure}(…) alone, with autocommit: it waits without a transaction.")
            }
            Self::Prepare => "Commit it, or claim and finish jobs in a transaction of their own.".to_owned(),
            Self::NotByHand { .. } => {
                "Use pgq.reschedule, pgq.cancel, pgq.delete or pgq.requeue to change or remove jobs.".to_owned()
            }
            Self::TooManyWorkers { .. } => {
                "Let a worker keep one uuid for its life; those that hold no job make room by themselves.".to_owned()
            }
            Self::Broken(_) => "Please report this.".to_owned(),
        }
    }
}

/// What to do where the library is not preloaded.
pub const PRELOAD: &str = "Add the line shared_preload_libraries = 'pgqueuer' to postgresql.conf (after a comma if it names others) and restart the server.";

impl From<Error> for ErrorReport {
    fn from(error: Error) -> Self {
        let report = Self::new(error.code(), error.to_string(), "pgqueuer").set_hint(error.hint());
        match error.detail() {
            Some(detail) => report.set_detail(detail),
            None => report,
        }
    }
}

/// Raises a WARNING with a hint.
pub fn warn(code: Code, message: String, hint: &str) {
    ErrorReport::new(code, message, "pgqueuer").set_hint(hint).report(PgLogLevel::WARNING);
}

/// Raises an error from where nothing can be returned.
pub fn raise(error: Error) -> ! {
    ErrorReport::from(error).report(PgLogLevel::ERROR);
    unreachable!("a report of level ERROR does not return")
}

/// Writes a line into the server's log.
pub fn log(code: Code, message: &str, hint: &str) {
    ErrorReport::new(code, message.to_owned(), "pgqueuer").set_hint(hint).report(PgLogLevel::LOG);
}
