//! What went wrong, what to do about it, and the exit code.

use crate::text::harmless;
use std::process::ExitCode;

/// What a command ends with when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments make no sense together.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// The server refused.
    #[error(transparent)]
    Queue(#[from] pgqueuer_client::Error),
    /// A file, a terminal or a process of this machine.
    #[error("{what}: {source}")]
    System { what: String, source: std::io::Error },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }

    /// To standard error: the message, then what is known beside it, then what to do.
    pub fn print(&self) {
        eprintln!("pgq: {}", harmless(&self.to_string()));
        match self {
            Self::Usage { hint, .. } => eprintln!("hint: {hint}"),
            Self::Queue(pgqueuer_client::Error::Refused(refusal)) => {
                if let Some(detail) = &refusal.detail {
                    eprintln!("detail: {}", harmless(detail));
                }
                if let Some(hint) = refusal.hint.as_deref().or(hint(&refusal.sqlstate)) {
                    eprintln!("hint: {}", harmless(hint));
                }
            }
            Self::Queue(error) => {
                let mut below = std::error::Error::source(error);
                while let Some(cause) = below {
                    eprintln!("cause: {}", harmless(&cause.to_string()));
                    below = cause.source();
                }
            }
            Self::System { .. } => {}
        }
    }

    /// 1 refused, 2 wrong usage, 3 the server cannot be reached.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } | Self::Queue(pgqueuer_client::Error::Option(_)) => ExitCode::from(2),
            Self::Queue(error) if error.is_transient() => ExitCode::from(3),
            Self::Queue(_) | Self::System { .. } => ExitCode::from(1),
        }
    }
}

/// What to do where the server has no advice.
fn hint(sqlstate: &str) -> Option<&'static str> {
    match sqlstate {
        "3F000" | "42883" | "42P01" => Some("Install the extension in this database: pgq install"),
        "42501" => Some("Ask an administrator for the right: pgq grant producer|worker|monitor|admin ROLE"),
        _ => None,
    }
}
