//! `pgq delete`: removes queued and failed jobs.

use super::{Context, ended};
use crate::error::Result;
use crate::output::Answer;
use pgqueuer_client::Control;

/// Which jobs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq delete 7\n  pgq delete 7 8 9\n\n\
                        A job that a worker holds is left alone: pgq cancel ends it, too.")]
pub struct Args {
    /// Their ids
    #[arg(required = true, value_name = "ID")]
    ids: Vec<i64>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let deleted = context.queue.delete(&args.ids).await?;
    ended::tell(context, "deleted", &args.ids, &deleted).await
}
