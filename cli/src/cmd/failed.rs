//! `pgq failed`: jobs that were given up and are held, with what their last attempt said.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use tokio_postgres::types::Type;

/// Which jobs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq failed\n  pgq failed mail -n 100\n  pgq requeue --all --entrypoint mail\n\n\
                        pgq job ID shows every attempt at a job; pgq requeue queues failed jobs again, pgq delete removes them.")]
pub struct Args {
    /// Only of these entrypoints
    entrypoints: Vec<String>,
    /// How many at most
    #[arg(short = 'n', long, default_value_t = 25, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let entrypoints = context.all_prefixed(&args.entrypoints);
    let parameters: [query::Parameter; 3] =
        [(&entrypoints, Type::TEXT_ARRAY), (&args.limit, Type::INT8), (&context.global.prefix, Type::TEXT)];
    let rows = query::look(&context.queue, sql!("failed"), &parameters).await?;
    context.output.rows(&rows, "No failed jobs.");
    Ok(Answer::Yes)
}
