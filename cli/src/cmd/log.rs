//! `pgq log`: attempts and jobs that ended.

use super::Context;
use crate::error::Result;
use crate::output::{Answer, Row, length, time};
use crate::query;
use crate::sql;
use crate::time::Length;
use chrono::{DateTime, Utc};
use clap::ValueEnum;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;
use tokio_postgres::types::{Timestamp, Type};

/// How often it is looked for more.
const STEP: Duration = Duration::from_millis(500);
/// A row is told when it has been committed, with the time at which its job ended: so late, at most, is one looked for.
const LATE: Duration = Duration::from_secs(10);

/// Which of them.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq log\n  pgq log mail --outcome failed --outcome exception\n  pgq log --since \"1 h\" -n 1000\n  \
                        pgq log --follow --json | jq .error\n\n\
                        Where few of what ended fits, the last 50,000 are looked through; --since looks further back.\n\
                        wait: from enqueue to claim. run: from claim to end. The log is kept for pgqueuer.log_retention."
)]
pub struct Args {
    /// Only of these entrypoints
    entrypoints: Vec<String>,
    /// Only those that ended so; may be given more than once
    #[arg(long, value_enum)]
    outcome: Vec<Outcome>,
    /// Only of so long ago
    #[arg(long, value_name = "LENGTH")]
    since: Option<Length>,
    /// How many at most
    #[arg(short = 'n', long, default_value_t = 25, value_parser = clap::value_parser!(i64).range(1..))]
    limit: i64,
    /// Go on with what ends from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

/// How an attempt or a job ends.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Outcome {
    Successful,
    Exception,
    Failed,
    Canceled,
    Deleted,
    Retried,
    Released,
}

/// What is asked for, as parameters.
struct Asked {
    entrypoints: Option<Vec<String>>,
    outcomes: Option<Vec<String>>,
    prefix: String,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let outcomes: Vec<_> = args.outcome.iter().filter_map(ValueEnum::to_possible_value).collect();
    let outcomes: Vec<String> = outcomes.iter().map(|outcome| outcome.get_name().to_owned()).collect();
    let asked = Asked {
        entrypoints: context.all_prefixed(&args.entrypoints),
        outcomes: (!outcomes.is_empty()).then_some(outcomes),
        prefix: context.global.prefix.clone(),
    };
    let since = args.since.map_or(Timestamp::NegInfinity, |Length(since)| before_now(since));
    let parameters: [query::Parameter; 5] = [
        (&asked.entrypoints, Type::TEXT_ARRAY),
        (&asked.outcomes, Type::TEXT_ARRAY),
        (&since, Type::TIMESTAMPTZ),
        (&args.limit, Type::INT8),
        (&asked.prefix, Type::TEXT),
    ];
    let mut rows = query::look_at_log(&context.queue, sql!("log"), &parameters).await?;
    if args.follow {
        rows.reverse();
        return follow(context, &asked, rows).await;
    }
    let is_short = i64::try_from(rows.len()).unwrap_or(i64::MAX) < args.limit;
    context.output.rows(&rows, "Nothing has ended.");
    if is_short && args.since.is_none() && query::value(&context.queue, sql!("log_is_longer"), &[]).await? {
        eprintln!("Looked through the last 50,000 or so. --since looks as far back as it says.");
    }
    Ok(Answer::Yes)
}

fn before_now(length: Duration) -> Timestamp<DateTime<Utc>> {
    let length = chrono::Duration::from_std(length).ok();
    length.and_then(|length| Utc::now().checked_sub_signed(length)).map_or(Timestamp::NegInfinity, Timestamp::Value)
}

/// Prints rows as they come. What was printed is known by heart for as long as it may be found again.
async fn follow(context: &Context, asked: &Asked, mut rows: Vec<Row>) -> Result<Answer> {
    let mut told: BTreeSet<(String, String)> = BTreeSet::new();
    let mut last: Option<DateTime<Utc>> = None;
    loop {
        for row in rows {
            let finished = row.get("finished").and_then(Value::as_str).unwrap_or_default().to_owned();
            let at = DateTime::parse_from_rfc3339(&finished).map(|at| at.to_utc()).ok();
            last = last.max(at);
            let sorted = at.map(|at| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true)).unwrap_or_default();
            let key = (sorted, format!("{:?} {:?}", row.get("job_id"), row.get("attempt")));
            if told.insert(key) && !context.output.next(&sentence(&row), &Value::Object(row)) {
                return Ok(Answer::Yes);
            }
        }
        let from = last.map_or_else(|| before_now(LATE), |last| Timestamp::Value(last - LATE));
        if let Timestamp::Value(from) = from {
            told = told.split_off(&(from.to_rfc3339_opts(chrono::SecondsFormat::Micros, true), String::new()));
        }
        sleep(STEP).await;
        let parameters: [query::Parameter; 4] = [
            (&asked.entrypoints, Type::TEXT_ARRAY),
            (&asked.outcomes, Type::TEXT_ARRAY),
            (&from, Type::TIMESTAMPTZ),
            (&asked.prefix, Type::TEXT),
        ];
        rows = query::look_at_log(&context.queue, sql!("log_since"), &parameters).await?;
    }
}

fn sentence(row: &Row) -> String {
    let of = |name: &str| row.get(name).unwrap_or(&Value::Null);
    let text = |name: &str| of(name).as_str().unwrap_or_default().to_owned();
    let run = of("run_seconds").as_f64().map(|seconds| format!(" in {}", length(seconds))).unwrap_or_default();
    let error = of("error").as_str().map(|error| format!(": {error}")).unwrap_or_default();
    format!("{}  {} {}  {}{run}{error}", time(of("finished")), text("entrypoint"), of("job_id"), text("outcome"))
}
