//! What went wrong, in words for whoever looks at the page: of the server's own only those that the queue's functions
//! say, never where the server is or who asks it.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use pgqueuer_client::{Error, Refusal};

pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// A request that could not be answered. The frame makes a page of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub status: StatusCode,
    pub title: String,
    pub detail: String,
}

impl Failure {
    pub fn new(status: StatusCode, title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { status, title: title.into(), detail: detail.into() }
    }

    pub fn not_found(title: impl Into<String>) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            title,
            "It may have ended, and its log been emptied since; or the address is not right.",
        )
    }

    pub fn bad(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, title, detail)
    }

    pub fn forbidden(title: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, title, detail)
    }

    pub fn busy() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Busy",
            "All connections to the database are in use. Try again in a moment.",
        )
    }

    /// A template that cannot be filled: a mistake of ours.
    pub fn broken(error: impl std::fmt::Display) -> Self {
        tracing::error!(%error, "a page could not be made");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "This page is broken", "The dashboard's log says more.")
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Refused(refusal) => of_refusal(refusal),
            Error::Option(_) | Error::Connection(_) | Error::Timeout(_) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "the database cannot be reached");
                unreachable()
            }
            _ => Self::broken(error),
        }
    }
}

fn unreachable() -> Failure {
    let detail = "The dashboard's log says why. This page comes back by itself once the database does.";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, "The database cannot be reached", detail)
}

fn of_refusal(refusal: &Refusal) -> Failure {
    let class = refusal.sqlstate.get(..2).unwrap_or_default();
    let told = |status, title: &str| {
        let hint = refusal.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
        Failure::new(status, title, format!("{}.{hint}", refusal.message))
    };
    match (refusal.sqlstate.as_str(), class) {
        ("57014", _) => {
            let detail = "The database did not answer within 5 seconds. Try a narrower filter.";
            Failure::new(StatusCode::GATEWAY_TIMEOUT, "This took too long", detail)
        }
        ("55P03", _) => {
            let detail = "Somebody else is changing the same thing. Try again.";
            Failure::new(StatusCode::CONFLICT, "Not now", detail)
        }
        ("42501", _) => {
            let detail = "The dashboard's role lacks a right. To look: SELECT pgq.grant_monitor('role'). To act: SELECT pgq.grant_admin('role').";
            Failure::new(StatusCode::FORBIDDEN, "Not permitted", detail)
        }
        ("3F000" | "42883" | "42P01", _) => {
            let detail =
                "The extension is missing in this database, or older than this dashboard: CREATE EXTENSION pgqueuer.";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "There is no queue here", detail)
        }
        ("25006", _) => told(StatusCode::CONFLICT, "This server only reads"),
        (_, "22" | "23" | "0A" | "55") => told(StatusCode::BAD_REQUEST, "Refused"),
        (_, "40") => Failure::new(StatusCode::CONFLICT, "Not now", "Two changes met. Try again."),
        _ => {
            tracing::warn!(sqlstate = refusal.sqlstate, message = refusal.message, "the database refused");
            unreachable()
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = (self.status, format!("{}\n", self.title)).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error as _;

    fn failure(sqlstate: &str, message: &str) -> Failure {
        of_refusal(&Refusal { sqlstate: sqlstate.into(), message: message.into(), detail: None, hint: None })
    }

    #[test]
    fn who_asks_and_where_is_told_to_nobody() {
        for (sqlstate, message) in [
            ("28P01", "password authentication failed for user \"secret\""),
            ("28000", "no pg_hba.conf entry for host \"secret\""),
            ("3D000", "database \"secret\" does not exist"),
            ("42501", "permission denied for table secret"),
        ] {
            let failure = failure(sqlstate, message);
            assert!(!format!("{failure:?}").contains("secret"), "{failure:?}");
        }
        let error = Error::Connection("secret:5432 refused".into());
        assert!(error.source().is_some());
        assert!(!format!("{:?}", Failure::from(error)).contains("secret"));
    }

    #[test]
    fn what_the_queue_refuses_is_told() {
        let failure = failure("22023", "max_attempts must be at least 1");
        assert_eq!(
            (failure.status, failure.detail.as_str()),
            (StatusCode::BAD_REQUEST, "max_attempts must be at least 1.")
        );
    }
}
