//! `pgq uninstall`: DROP EXTENSION, with all jobs.

use super::Context;
use super::install::installed;
use crate::confirm::confirm;
use crate::error::Result;
use crate::output::{Answer, line};
use crate::query;
use crate::sql;
use serde_json::json;

/// How.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq uninstall\n  pgq uninstall --yes\n  pgq uninstall --dry-run\n\n\
                        Workers that are connected notice, and go on after the next pgq install.")]
pub struct Args {
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Remove views and functions of yours, too, that use it
    #[arg(long)]
    cascade: bool,
    /// Print the SQL and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let statement = if args.cascade { sql!("drop_extension_cascade") } else { sql!("drop_extension") };
    if args.dry_run {
        line(&format!("{};", statement.trim()));
        return Ok(Answer::Yes);
    }
    if installed(context).await?.is_some() {
        confirm("Remove the queue with all its jobs, schedules, settings and its log?", args.yes)?;
    }
    query::run(&context.queue, statement, &[]).await?;
    context.output.done("pgqueuer is removed", json!({ "removed": true }));
    Ok(Answer::Yes)
}
