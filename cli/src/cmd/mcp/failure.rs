//! What went wrong, in words for the assistant: of the server's own only those that the queue says, never where the server is
//! or who asks it. The rest goes to standard error.

use crate::error::Error;
use pgqueuer_client::{Error as Failed, Refusal};
use rmcp::handler::server::tool::IntoCallToolResult;
use rmcp::model::{CallToolResponse, CallToolResult, ContentBlock};

/// A call that could not be answered; the assistant reads it and may do better.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match &error {
            Error::Queue(Failed::Refused(refusal)) if is_told(refusal) => Self(told(refusal)),
            Error::Queue(Failed::Refused(refusal)) => {
                error.print();
                Self(of_server(&refusal.sqlstate).to_owned())
            }
            Error::Queue(Failed::Timeout(_)) => Self(of_server("57014").to_owned()),
            Error::Usage { message, hint } => Self(format!("{message}. {hint}")),
            _ => {
                error.print();
                Self(of_server("08000").to_owned())
            }
        }
    }
}

impl From<Failed> for Failure {
    fn from(error: Failed) -> Self {
        Error::from(error).into()
    }
}

/// What is wrong with the arguments, or with the state of the queue.
fn is_told(refusal: &Refusal) -> bool {
    ["22", "23", "0A", "55"].iter().any(|class| refusal.sqlstate.starts_with(class)) && refusal.sqlstate != "55P03"
        || refusal.sqlstate == "25006"
}

fn told(refusal: &Refusal) -> String {
    let sentence = |text: &Option<String>| text.as_deref().map(|text| format!(" {text}")).unwrap_or_default();
    format!("{}.{}{}", refusal.message, sentence(&refusal.detail), sentence(&refusal.hint))
}

fn of_server(sqlstate: &str) -> &'static str {
    match sqlstate {
        "57014" => "The database did not answer in time. Ask for a shorter period or fewer rows.",
        "55P03" => "Somebody else is changing the same thing. Try again.",
        "42501" => {
            "The role that this server connects as lacks a right. To look: pgq grant monitor ROLE. To change: pgq grant admin ROLE."
        }
        "3F000" | "42883" | "42P01" => {
            "There is no queue in this database, or one older than this program: pgq install, pgq upgrade."
        }
        state if state.starts_with("40") => "Two changes met. Try again.",
        _ => "The database cannot be reached. Standard error of pgq mcp says why; the next call tries again.",
    }
}

impl IntoCallToolResult for Failure {
    fn into_call_tool_result(self) -> Result<CallToolResponse, rmcp::ErrorData> {
        Ok(CallToolResult::error(vec![ContentBlock::text(self.0)]).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(sqlstate: &str, message: &str) -> String {
        let refusal =
            Refusal { sqlstate: sqlstate.into(), message: message.into(), detail: None, hint: Some("Do.".into()) };
        Failure::from(Failed::Refused(Box::new(refusal))).0
    }

    #[test]
    fn who_asks_and_where_is_told_to_nobody() {
        for sqlstate in ["28P01", "28000", "3D000", "42501", "57P03", "53300", "XX000"] {
            assert!(!failure(sqlstate, "secret").contains("secret"), "{sqlstate}");
        }
        assert!(!Failure::from(Failed::Connection("secret:5432 refused".into())).0.contains("secret"));
    }

    #[test]
    fn what_the_queue_refuses_is_told_with_its_hint() {
        assert_eq!(failure("22023", "entrypoint must not be empty"), "entrypoint must not be empty. Do.");
    }
}
