//! `pgq schedules add`: makes a schedule, or changes the one of that name.

use crate::cmd::Context;
use crate::cmd::enqueue::payload::{Header, Payload};
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use clap::ValueEnum;
use pgqueuer_client::{Control, Schedule};
use serde_json::{Value, json};
use tokio_postgres::types::Type;

/// When, and what.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq schedules add report \"30 6 * * mon-fri\" --timezone Europe/Berlin\n  \
                        pgq schedules add cleanup @hourly --entrypoint housekeeping --json-payload '{\"days\": 30}'\n  \
                        pgq schedules add heartbeat \"* * * * * */5\"\n\n\
                        Five fields: minute, hour, day of month, month, day of week; or six, with the seconds last.")]
pub struct Args {
    /// Its name
    name: String,
    /// When it ticks: five fields, six with the seconds last, or @daily and the like
    cron: String,
    /// The entrypoint of its jobs; the name, if not given
    #[arg(long)]
    entrypoint: Option<String>,
    /// The time zone in which the fields are read
    #[arg(long, default_value = "UTC")]
    timezone: String,
    #[command(flatten)]
    payload: Payload,
    /// Of its jobs; higher first
    #[arg(long, default_value_t = 0, allow_negative_numbers = true)]
    priority: i32,
    /// A header of its jobs; may be given more than once
    #[arg(long = "header", value_name = "NAME=VALUE")]
    headers: Vec<Header>,
    /// Jobs of one entrypoint with one key run one at a time
    #[arg(long, value_name = "KEY")]
    ordering_key: Option<String>,
    /// What becomes of ticks that were missed while the server was down
    #[arg(long, value_enum, default_value = "one")]
    catch_up: CatchUp,
    /// Enqueue a job although the last one is still queued or running
    #[arg(long)]
    overlap: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum CatchUp {
    /// Nothing
    Skip,
    /// One job for all of them
    One,
    /// A job for each, 1000 at most
    All,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let mut schedule = Schedule::new(context.prefixed(&args.name), args.cron)
        .timezone(args.timezone)
        .priority(args.priority)
        .overlap(args.overlap)
        .catch_up(match args.catch_up {
            CatchUp::Skip => pgqueuer_client::CatchUp::Skip,
            CatchUp::One => pgqueuer_client::CatchUp::One,
            CatchUp::All => pgqueuer_client::CatchUp::All,
        });
    if let Some(entrypoint) = &args.entrypoint {
        schedule = schedule.entrypoint(context.prefixed(entrypoint));
    }
    if let Some(payload) = args.payload.read()? {
        schedule = schedule.payload(payload);
    }
    if let Some(key) = args.ordering_key {
        schedule = schedule.ordering_key(key);
    }
    for Header(name, value) in args.headers {
        schedule = schedule.header(name, value);
    }
    context.queue.schedule(schedule).await?;
    let rows = query::look(&context.queue, sql!("schedules"), &[(&context.global.prefix, Type::TEXT)]).await?;
    let row =
        rows.into_iter().find(|row| row.get("name").and_then(Value::as_str) == Some(&args.name)).unwrap_or_default();
    let next = row.get("next_tick").cloned().unwrap_or_default();
    let sentence = match next {
        Value::Null => format!("{} is there, and does not tick", args.name),
        ref next => format!("{} ticks next at {}", args.name, crate::output::time(next)),
    };
    context.output.done(&sentence, json!({ "name": args.name, "next_tick": next }));
    Ok(Answer::Yes)
}
