//! `pgq grant`: rights on the queue for a role.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use clap::ValueEnum;
use serde_json::json;
use tokio_postgres::types::Type;

/// Which rights, and whose.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq grant producer shop\n  pgq grant monitor grafana\n\n\
                        The role must exist: CREATE ROLE shop LOGIN.")]
pub struct Args {
    /// The rights
    rights: Rights,
    /// The role that gets them
    role: String,
}

/// What a role may do.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Rights {
    /// Enqueue, and see what became of its own jobs
    Producer,
    /// Claim jobs and end them
    Worker,
    /// Look at everything, payloads included, and change nothing
    Monitor,
    /// All of it, and control: cancel, requeue, configure, schedule, grant
    Admin,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let (word, statement) = match args.rights {
        Rights::Producer => ("producer", sql!("grant_producer")),
        Rights::Worker => ("worker", sql!("grant_worker")),
        Rights::Monitor => ("monitor", sql!("grant_monitor")),
        Rights::Admin => ("admin", sql!("grant_admin")),
    };
    query::run(&context.queue, statement, &[(&args.role, Type::TEXT)]).await?;
    context.output.done(&format!("{} is {word} now", args.role), json!({ "role": args.role, "granted": word }));
    Ok(Answer::Yes)
}
