//! What went wrong, what to do about it, and the exit code.

use crate::connect::Server;
use crate::text::harmless;
use pgqueuer_client::Refusal;
use std::process::ExitCode;

/// What a command ends with when it cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments make no sense together.
    #[error("{message}")]
    Usage { message: String, hint: String },
    /// What was asked for makes sense, but not here and now.
    #[error("{message}")]
    Impossible { message: String, hint: String },
    /// The server refused.
    #[error(transparent)]
    Queue(#[from] pgqueuer_client::Error),
    /// There is no connection to the server, or none any more.
    #[error("no connection to {server}")]
    Unreachable { server: String, source: pgqueuer_client::Error },
    /// A line of a file.
    #[error("{file}, line {line}: {source}")]
    Line {
        file: String,
        line: u64,
        /// What stands up to that line is enqueued.
        committed: u64,
        source: Box<Error>,
    },
    /// A file, a terminal or a process of this machine.
    #[error("{what}: {source}")]
    System { what: String, source: std::io::Error },
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }

    /// Names the server that could not be reached, or did not let us in.
    pub fn at(self, server: &Server) -> Self {
        match self {
            Self::Queue(source) if is_of_connection(&source) => {
                Self::Unreachable { server: server.to_string(), source }
            }
            other => other,
        }
    }

    /// To standard error: the message, then what is known beside it, then what to do.
    pub fn print(&self) {
        eprintln!("pgq: {}", harmless(&self.to_string()));
        self.print_rest();
    }

    fn print_rest(&self) {
        match self {
            Self::Line { committed, source, .. } => {
                match committed {
                    0 => eprintln!("detail: Nothing was enqueued."),
                    line => eprintln!("detail: What stands up to line {line} is enqueued."),
                }
                source.print_rest();
            }
            Self::Usage { hint, .. } | Self::Impossible { hint, .. } => eprintln!("hint: {}", harmless(hint)),
            Self::Queue(pgqueuer_client::Error::Refused(refusal)) => print_rest(refusal),
            Self::Unreachable { source: pgqueuer_client::Error::Refused(refusal), .. } => {
                eprintln!("cause: {}", harmless(&refusal.message));
                print_rest(refusal);
            }
            Self::Queue(error) => print_causes(error),
            Self::Unreachable { source: error, .. } => {
                eprintln!("cause: {}", harmless(&error.to_string()));
                print_causes(error);
                if error.to_string().ends_with("password missing") {
                    eprintln!("hint: Set PGPASSWORD, or write the password into ~/.pgpass.");
                }
            }
            Self::System { .. } => {}
        }
    }

    /// All of it in a sentence or two, for where there is one line.
    pub fn sentence(&self) -> String {
        let said = match self {
            Self::Queue(pgqueuer_client::Error::Refused(refusal)) => {
                let hint = refusal.hint.as_deref().or(hint(&refusal.sqlstate)).unwrap_or_default();
                format!("{self}. {hint}")
            }
            error => error.to_string(),
        };
        harmless(&said).into_owned()
    }

    /// 1 refused, 2 wrong usage, 3 no connection to the server.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage { .. } | Self::Queue(pgqueuer_client::Error::Option(_)) => ExitCode::from(2),
            Self::Unreachable { .. } => ExitCode::from(3),
            Self::Queue(error) if error.is_transient() => ExitCode::from(3),
            // The command was right, the file is not.
            Self::Impossible { .. } | Self::Line { .. } | Self::Queue(_) | Self::System { .. } => ExitCode::from(1),
        }
    }
}

/// No connection, or no leave to have one: a wrong password or user (class 28), no such database.
fn is_of_connection(error: &pgqueuer_client::Error) -> bool {
    match error {
        pgqueuer_client::Error::Connection(_) => true,
        pgqueuer_client::Error::Option(text) => text.starts_with("invalid configuration"),
        error => error.sqlstate().is_some_and(|state| state.starts_with("28") || state == "3D000" || state == "57P03"),
    }
}

fn print_rest(refusal: &Refusal) {
    if let Some(detail) = &refusal.detail {
        eprintln!("detail: {}", harmless(detail));
    }
    if let Some(hint) = refusal.hint.as_deref().or(hint(&refusal.sqlstate)) {
        eprintln!("hint: {}", harmless(hint));
    }
}

fn print_causes(error: &pgqueuer_client::Error) {
    let mut below = std::error::Error::source(error);
    while let Some(cause) = below {
        eprintln!("cause: {}", harmless(&cause.to_string()));
        below = cause.source();
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
