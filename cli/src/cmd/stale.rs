//! `pgq stale`: jobs that somebody has held for long, and workers whose lease is nearly over.

use super::Context;
use crate::error::Result;
use crate::output::{Answer, length, line};
use crate::query;
use crate::sql;
use crate::time::Length;
use serde_json::json;
use std::time::Duration;
use tokio_postgres::types::Type;

/// A worker is heard of each third of its lease; less than that is left of it only where something is wrong.
const LEFT: f64 = 1.0 / 3.0;

/// How long is long.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq stale\n  pgq stale --threshold \"1 h\"\n\n\
                        A worker of which less than a third of the lease is left is late with its sign of life; when nothing is \
                        left its jobs go back to the queue by themselves. pgq cancel ends a job that hangs.")]
pub struct Args {
    /// Jobs that somebody has held for longer
    #[arg(long, default_value = "5 min", value_name = "LENGTH")]
    threshold: Length,
    /// How many at most
    #[arg(short = 'n', long, default_value_t = 25, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let Length(threshold) = args.threshold;
    let parameters: [query::Parameter; 3] = [
        (&Duration::as_secs_f64(&threshold), Type::FLOAT8),
        (&args.limit, Type::INT8),
        (&context.global.prefix, Type::TEXT),
    ];
    let jobs = query::look(&context.queue, sql!("stale_jobs"), &parameters).await?;
    let workers = query::look(&context.queue, sql!("stale_workers"), &[(&LEFT, Type::FLOAT8)]).await?;
    if context.output.json {
        context.output.value(&json!({ "jobs": jobs, "workers": workers }));
    } else {
        context.output.table(&jobs, &format!("No job is held for longer than {}.", length(threshold.as_secs_f64())));
        line("");
        context.output.table(&workers, "No worker is late with its sign of life.");
    }
    Ok(Answer::Yes)
}
