//! `pgq cancel`: ends jobs, whatever they are.

use super::{Context, ended};
use crate::error::Result;
use crate::output::Answer;
use pgqueuer_client::Control;

/// Which jobs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq cancel 7\n  pgq cancel 7 8 9 --json\n\n\
                        A worker that runs one of them is told, and can finish it no more. Exit code 1 where a job was not live.")]
pub struct Args {
    /// Their ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let canceled = context.queue.cancel(&args.ids).await?;
    ended::tell(context, "canceled", &args.ids, &canceled).await
}
