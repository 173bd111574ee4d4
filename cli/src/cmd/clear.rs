//! `pgq clear`: removes all queued jobs, of some entrypoints or of all.

use super::Context;
use crate::confirm::confirm;
use crate::error::Result;
use crate::output::{Answer, count};
use pgqueuer_client::Control;
use serde_json::json;
use std::collections::BTreeSet;
use std::time::Duration;

/// Millions of jobs take minutes.
const PATIENCE: Duration = Duration::from_secs(24 * 60 * 60);

/// Which jobs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq clear mail\n  pgq clear --yes\n\n\
                        Jobs that workers hold and failed ones stay. With --prefix only entrypoints that begin with it.")]
pub struct Args {
    /// Of these entrypoints; of all where none is named
    entrypoints: Vec<String>,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let of = if args.entrypoints.is_empty() { "all entrypoints".to_owned() } else { args.entrypoints.join(", ") };
    confirm(&format!("Remove all queued jobs of {of}?"), args.yes)?;
    let entrypoints = match context.all_prefixed(&args.entrypoints) {
        None if !context.global.prefix.is_empty() => Some(of_prefix(context).await?),
        named => named,
    };
    let deleted = match entrypoints.as_deref() {
        // The server takes no entrypoints at all for a mistake.
        Some([]) => 0,
        entrypoints => context.queue.clone().statement_timeout(PATIENCE).clear(entrypoints).await?,
    };
    context.output.done(&format!("{} deleted", count(deleted, "job")), json!({ "deleted": deleted }));
    Ok(Answer::Yes)
}

/// The entrypoints that have jobs and belong to this application.
async fn of_prefix(context: &Context) -> Result<Vec<String>> {
    let sizes = context.queue.queue_size().await?;
    let names: BTreeSet<String> = sizes.into_iter().map(|size| size.entrypoint).collect();
    Ok(names.into_iter().filter(|name| name.starts_with(&context.global.prefix)).collect())
}
