//! `pgq upgrade`: ALTER EXTENSION … UPDATE.

use super::Context;
use super::install::{installed, text};
use crate::error::{Error, Result};
use crate::output::{Answer, line};
use crate::query;
use crate::sql;
use serde_json::{Value, json};
use tokio_postgres::types::Type;

/// How.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq upgrade --plan\n  pgq upgrade\n\n\
                        Jobs, schedules, settings and the log stay. The library itself is of the new version after a restart \
                        of the server: pgq health says whether the two fit.")]
pub struct Args {
    /// Show the versions and the scripts between them, and do nothing
    #[arg(long)]
    plan: bool,
    /// Print the SQL and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    if args.dry_run {
        line(&format!("{};", sql!("update_extension").trim()));
        return Ok(Answer::Yes);
    }
    let rows = query::rows(&context.queue, sql!("extension"), &[]).await?;
    let Some(from) = text(rows.first(), "installed") else {
        return Err(Error::usage("pgqueuer is not installed in this database", "Install it: pgq install"));
    };
    let to = text(rows.first(), "available").unwrap_or_else(|| from.clone());
    if args.plan {
        return plan(context, &from, &to).await;
    }
    query::run(&context.queue, sql!("update_extension"), &[]).await?;
    let now = installed(context).await?.unwrap_or_default();
    let sentence = if now == from {
        format!("pgqueuer {now} is the newest that the server has")
    } else {
        format!("pgqueuer {from} is {now} now")
    };
    context.output.done(&sentence, json!({ "from": from, "to": now }));
    Ok(Answer::Yes)
}

/// No where the server knows no way from one to the other.
async fn plan(context: &Context, from: &str, to: &str) -> Result<Answer> {
    let parameters: [query::Parameter; 2] = [(&from, Type::TEXT), (&to, Type::TEXT)];
    let path: Option<String> = query::value(&context.queue, sql!("update_path"), &parameters).await?;
    let steps: Vec<&str> = path.as_deref().map(|path| path.split("--").collect()).unwrap_or_default();
    let sentence = match steps.as_slice() {
        _ if from == to => format!("installed {from}, which is the newest that the server has"),
        [] => format!("installed {from}, available {to}: the server has no script that leads there"),
        steps => format!("installed {from}, available {to}, by way of {}", steps.join(" → ")),
    };
    context.output.done(&sentence, json!({ "installed": from, "available": to, "path": Value::from(steps.clone()) }));
    Ok((from == to || !steps.is_empty()).into())
}
