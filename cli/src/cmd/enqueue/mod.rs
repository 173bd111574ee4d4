//! `pgq enqueue`: a job, or a file of jobs.
//!
//! - [`payload`] what a job is given to work on
//! - [`from`]    a file of jobs, of any size, in one transaction
//! - [`record`]  one job of such a file
//! - [`reader`]  the file, read by the batch
//! - [`refused`] which job of a batch the server did not take

mod from;
pub mod payload;
mod reader;
mod record;
mod refused;

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::time::{Length, When};
use clap::ValueEnum;
use payload::{Header, Payload};
use pgqueuer_client::{NewJob, Producer};
use serde_json::json;

/// What to enqueue.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq enqueue hello world\n  pgq enqueue mail --json-payload '{\"to\": \"you@example.org\"}' --delay \"10 min\"\n  \
                        date | pgq enqueue report --file - --priority 5\n  pgq enqueue mail --dedupe-key welcome-7 --on-conflict skip\n  \
                        pgq enqueue --from jobs.jsonl\n  pgq enqueue mail --from addresses.csv\n\n\
                        A line of a .jsonl file: {\"entrypoint\": \"mail\", \"payload\": {\"to\": \"x\"}, \"priority\": 5}. Both it and the \
                        columns of a .csv file have the names entrypoint, payload, payload_hex, priority, execute_after, delay, \
                        dedupe_key, headers, ordering_key. All jobs of a file are enqueued, or none."
)]
pub struct Args {
    /// The kind of work; of a file, that of the jobs that name none
    #[arg(required_unless_present = "from")]
    entrypoint: Option<String>,
    /// The payload, as --payload
    #[arg(value_name = "TEXT", conflicts_with_all = ["payload", "json_payload", "file"])]
    argument: Option<String>,
    #[command(flatten)]
    payload: Payload,
    #[command(flatten)]
    options: Options,
    /// What happens where a live job has the dedupe key
    #[arg(long, value_enum, default_value = "raise")]
    on_conflict: OnConflict,
    #[command(flatten)]
    from: from::FromFile,
}

/// What a job of its own may be given.
#[derive(Debug, clap::Args)]
#[group(multiple = true, conflicts_with = "from")]
struct Options {
    /// Higher first
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Not before so long from now
    #[arg(long, value_name = "LENGTH")]
    delay: Option<Length>,
    /// Not before that time
    #[arg(long, value_name = "TIME", conflicts_with = "delay")]
    at: Option<When>,
    /// Unique among queued and running jobs
    #[arg(long, value_name = "KEY")]
    dedupe_key: Option<String>,
    /// Metadata that the worker sees beside the payload; may be given more than once
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<Header>,
    /// Jobs of one entrypoint with one key run one at a time, in their order
    #[arg(long, value_name = "KEY")]
    ordering_key: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum OnConflict {
    /// The call fails
    Raise,
    /// Nothing is enqueued
    Skip,
    /// The queued job gets the new payload, priority, headers and start
    Replace,
}

impl From<OnConflict> for pgqueuer_client::OnConflict {
    fn from(word: OnConflict) -> Self {
        match word {
            OnConflict::Raise => Self::Raise,
            OnConflict::Skip => Self::Skip,
            OnConflict::Replace => Self::Replace,
        }
    }
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let entrypoint = args.entrypoint.as_deref().map(|name| context.prefixed(name));
    let on_conflict = args.on_conflict.into();
    if args.from.is_given() {
        return args.from.run(context, entrypoint, on_conflict).await;
    }
    let mut job = NewJob::new(entrypoint.unwrap_or_default()).on_conflict(on_conflict);
    if let Some(payload) =
        args.argument.map(String::into_bytes).map_or_else(|| args.payload.read(), |text| Ok(Some(text)))?
    {
        job = job.payload(payload);
    }
    let id = context.queue.enqueue(args.options.given_to(job, context).await?).await?;
    let sentence = match id {
        Some(id) => format!("job {id} is queued"),
        None => "nothing was queued: a live job has the dedupe key".to_owned(),
    };
    context.output.done(&sentence, json!({ "id": id }));
    Ok(Answer::Yes)
}

impl Options {
    async fn given_to(self, mut job: NewJob, context: &Context) -> Result<NewJob> {
        job = job.priority(self.priority.unwrap_or(0));
        if let Some(Length(delay)) = self.delay {
            job = job.delay(delay);
        }
        if let Some(at) = self.at {
            job = job.execute_after(at.resolved("--at", &context.queue).await?);
        }
        if let Some(key) = self.dedupe_key {
            job = job.dedupe_key(key);
        }
        if let Some(key) = self.ordering_key {
            job = job.ordering_key(key);
        }
        for Header(name, value) in self.headers {
            job = job.header(name, value);
        }
        Ok(job)
    }
}
