//! `pgq jobs`: live jobs, the next one first.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use clap::ValueEnum;
use tokio_postgres::types::Type;

/// Which jobs.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq jobs\n  pgq jobs mail fetch --status queued\n  pgq jobs --status failed --json\n\n\
                        Of a role that may only read the view (grant monitor) all jobs are looked through, which takes seconds \
                        where there are millions."
)]
pub struct Args {
    /// Only of these entrypoints
    entrypoints: Vec<String>,
    /// Only of this status; may be given more than once
    #[arg(long, value_enum)]
    status: Vec<Live>,
    /// How many at most
    #[arg(short = 'n', long, default_value_t = 25, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

/// What a live job can be.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Live {
    Queued,
    Picked,
    Failed,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let entrypoints = context.all_prefixed(&args.entrypoints);
    let status: Vec<_> = args.status.iter().filter_map(ValueEnum::to_possible_value).collect();
    let status: Vec<&str> = status.iter().map(clap::builder::PossibleValue::get_name).collect();
    let status = (!status.is_empty()).then_some(status);
    let parameters: [query::Parameter; 4] = [
        (&entrypoints, Type::TEXT_ARRAY),
        (&status, Type::TEXT_ARRAY),
        (&args.limit, Type::INT8),
        (&context.global.prefix, Type::TEXT),
    ];
    let rows = query::look(&context.queue, sql!("jobs"), &parameters).await?;
    context.output.rows(&rows, "No live jobs.");
    Ok(Answer::Yes)
}
