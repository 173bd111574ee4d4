//! `pgq schedules next`: when an expression ticks.

use crate::cmd::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use tokio_postgres::types::Type;

/// Which expression.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq schedules next \"30 6 * * mon-fri\" --timezone Europe/Berlin\n  pgq schedules next @monthly -n 12"
)]
pub struct Args {
    /// Five fields, six with the seconds last, or @daily and the like
    cron: String,
    /// The time zone in which the fields are read
    #[arg(long, default_value = "UTC")]
    timezone: String,
    /// How many ticks
    #[arg(short = 'n', long, default_value_t = 5, value_parser = clap::value_parser!(i32).range(1..=100_000))]
    limit: i32,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let parameters: [query::Parameter; 3] =
        [(&args.cron, Type::TEXT), (&args.timezone, Type::TEXT), (&args.limit, Type::INT4)];
    let rows = query::look(&context.queue, sql!("cron_next"), &parameters).await?;
    context.output.rows(&rows, "It does not tick before the year 2100.");
    Ok(Answer::Yes)
}
