//! `pgq configure`: settings of entrypoints, shown or changed.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use crate::time::Length;
use clap::ValueEnum;
use pgqueuer_client::{Control, Settings};
use serde_json::Value;
use tokio_postgres::types::Type;

/// Which entrypoint, and what to set.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq configure\n  pgq configure mail\n  pgq configure mail --concurrency-limit 10 --max-attempts 3\n  \
                        pgq configure api --rate-limit 100 --rate-period \"1 min\"\n\n\
                        What is not given stays as it is. An entrypoint that was never configured has the defaults."
)]
pub struct Args {
    /// Its name; all that were configured where none is given
    entrypoint: Option<String>,
    #[command(flatten)]
    change: Change,
}

/// The settings; none of them is given where they are to be shown.
#[derive(Debug, clap::Args)]
#[group(multiple = true, requires = "entrypoint")]
struct Change {
    /// Jobs held at one time, over all workers; 0 for any number
    #[arg(long, value_name = "N")]
    concurrency_limit: Option<i32>,
    /// After so many failed attempts a job is given up; 1 for no retry [default: 5]
    #[arg(long, value_name = "N")]
    max_attempts: Option<i32>,
    /// Delay before the second attempt [default: 1 s]
    #[arg(long, value_name = "LENGTH")]
    backoff_initial: Option<Length>,
    /// No delay is longer [default: 5 min]
    #[arg(long, value_name = "LENGTH")]
    backoff_max: Option<Length>,
    /// Each delay is the last one times this [default: 2]
    #[arg(long, value_name = "FACTOR")]
    backoff_multiplier: Option<f64>,
    /// What a job becomes that is given up: held with its error, or deleted [default: hold]
    #[arg(long, value_enum)]
    on_failure: Option<OnFailure>,
    /// After so many lost workers a job counts as failed [default: 10]
    #[arg(long, value_name = "N")]
    max_releases: Option<i32>,
    /// Claims in any stretch of the period, over all workers; 0 for any number
    #[arg(long, value_name = "N")]
    rate_limit: Option<i32>,
    /// The period of the rate limit [default: 1 s]
    #[arg(long, value_name = "LENGTH")]
    rate_period: Option<Length>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OnFailure {
    Hold,
    Delete,
}

impl From<Change> for Settings {
    fn from(change: Change) -> Self {
        let length = |length: Option<Length>| length.map(|length| length.0);
        Self {
            concurrency_limit: change.concurrency_limit,
            max_attempts: change.max_attempts,
            backoff_initial: length(change.backoff_initial),
            backoff_max: length(change.backoff_max),
            backoff_multiplier: change.backoff_multiplier,
            on_failure: change.on_failure.map(|word| match word {
                OnFailure::Hold => pgqueuer_client::OnFailure::Hold,
                OnFailure::Delete => pgqueuer_client::OnFailure::Delete,
            }),
            max_releases: change.max_releases,
            rate_limit: change.rate_limit,
            rate_period: length(change.rate_period),
        }
    }
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let settings = Settings::from(args.change);
    let name = args.entrypoint.map(|name| context.prefixed(&name));
    if let Some(name) = name.as_deref().filter(|_| settings != Settings::default()) {
        context.queue.configure(name, settings).await?;
    }
    let names = name.clone().map(|name| vec![name]);
    let parameters: [query::Parameter; 2] = [(&names, Type::TEXT_ARRAY), (&context.global.prefix, Type::TEXT)];
    let rows = query::look(&context.queue, sql!("settings"), &parameters).await?;
    match (name, rows.first()) {
        (None, _) => context.output.rows(&rows, "No entrypoint was configured: all have the defaults."),
        (Some(_), Some(row)) => context.output.one(row),
        (Some(name), None) => {
            context.output.done(&format!("{name} was not configured: it has the defaults"), Value::Null)
        }
    }
    Ok(Answer::Yes)
}
