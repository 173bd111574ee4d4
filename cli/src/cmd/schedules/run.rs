//! `pgq schedules run`: a job of a schedule, now.

use crate::cmd::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use serde_json::json;
use tokio_postgres::types::Type;

/// Which schedule.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pgq schedules run report\n\nThe schedule itself ticks on as before.")]
pub struct Args {
    /// Its name
    name: String,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let name = context.prefixed(&args.name);
    let id: Option<i64> = query::value(&context.queue, sql!("run_schedule"), &[(&name, Type::TEXT)]).await?;
    let Some(id) = id else {
        eprintln!("pgq: there is no schedule {}", crate::text::harmless(&args.name));
        return Ok(Answer::No);
    };
    context.output.done(&format!("job {id} is queued"), json!({ "id": id }));
    Ok(Answer::Yes)
}
