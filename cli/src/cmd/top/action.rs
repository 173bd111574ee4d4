//! What can be changed from the screen. What starts or ends a job cannot be taken back: it is asked for first.

use super::line::Line;
use super::pane::Pane;
use crate::cmd::Context;
use crate::error::Result;
use crate::query;
use crate::sql;
use crate::text::{harmless, short};
use pgqueuer_client::Control;
use serde_json::Value;
use tokio_postgres::types::Type;

/// A change of one thing. Names are those of the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Pause(String),
    Resume(String),
    PauseSchedule(String),
    ResumeSchedule(String),
    RunSchedule(String),
    Requeue(i64),
    Cancel(i64),
}

impl Action {
    /// What a key means for a line; none where it means nothing.
    pub fn of(key: char, pane: Pane, line: &Line<'_>, context: &Context) -> Option<Self> {
        let text = |name: &str| line.row.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = || line.row.get("id").and_then(Value::as_i64);
        let entrypoint = || text("entrypoint").map(|name| context.prefixed(&name));
        match (pane, key) {
            (Pane::Entrypoints, 'p') => entrypoint().map(Self::Pause),
            (Pane::Entrypoints, 'u') => entrypoint().map(Self::Resume),
            (Pane::InFlight | Pane::Failed, 'c') => id().map(Self::Cancel),
            (Pane::Failed, 'r') => id().map(Self::Requeue),
            (Pane::Schedules, 'p') => text("full_name").map(Self::PauseSchedule),
            (Pane::Schedules, 'u') => text("full_name").map(Self::ResumeSchedule),
            (Pane::Schedules, 'x') => text("full_name").map(Self::RunSchedule),
            _ => None,
        }
    }

    /// What is asked before it; none where it can be taken back.
    pub fn question(&self) -> Option<String> {
        match self {
            Self::Pause(_) | Self::Resume(_) | Self::PauseSchedule(_) | Self::ResumeSchedule(_) => None,
            Self::RunSchedule(name) => Some(format!("Enqueue a job of {} now?", shown(name))),
            Self::Requeue(id) => Some(format!("Run job {id} again, from its first attempt?")),
            Self::Cancel(id) => Some(format!("Cancel job {id}?")),
        }
    }

    /// Does it, and says what came of it.
    pub async fn perform(&self, context: &Context) -> Result<String> {
        let queue = &context.queue;
        let said = |changed: bool, done: String, not: &str| if changed { done } else { not.to_owned() };
        Ok(match self {
            Self::Pause(name) => {
                let done = format!("{} is paused: u resumes it.", shown(context.unprefixed(name)));
                said(queue.pause(name).await?, done, "It was paused already.")
            }
            Self::Resume(name) => {
                let done = format!("{} is resumed.", shown(context.unprefixed(name)));
                said(queue.resume(name).await?, done, "It was not paused.")
            }
            Self::PauseSchedule(name) => {
                let done = format!("Schedule {} is paused: u resumes it.", shown(context.unprefixed(name)));
                said(queue.pause_schedule(name).await?, done, "It was paused already, or is gone.")
            }
            Self::ResumeSchedule(name) => {
                let done = format!("Schedule {} is resumed.", shown(context.unprefixed(name)));
                said(queue.resume_schedule(name).await?, done, "It was not paused, or is gone.")
            }
            Self::RunSchedule(name) => {
                let job: Option<i64> = query::value(queue, sql!("run_schedule"), &[(name, Type::TEXT)]).await?;
                job.map_or_else(
                    || "There is no such schedule any more.".to_owned(),
                    |id| format!("Job {id} is queued."),
                )
            }
            Self::Requeue(id) => {
                let changed = !queue.requeue(&[*id]).await?.is_empty();
                said(changed, format!("Job {id} is queued again."), "Nothing to change: it is no failed job any more.")
            }
            Self::Cancel(id) => {
                let changed = !queue.cancel(&[*id]).await?.is_empty();
                said(changed, format!("Job {id} is canceled."), "Nothing to change: the job has ended meanwhile.")
            }
        })
    }
}

fn shown(name: &str) -> String {
    short(&harmless(name), 40).into_owned()
}
