//! `pgq health`: the checks of the server.

use super::Context;
use crate::error::Result;
use crate::output::{Answer, Row};
use crate::query;
use crate::sql;
use serde_json::Value;

/// What to show.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq health\n  pgq health --problems || echo \"look at the queue\"\n\n\
                        Exit code 1 where something is not well; its hint says what to do.")]
pub struct Args {
    /// Only what is not well
    #[arg(long)]
    problems: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let mut rows = query::look(&context.queue, sql!("health"), &[]).await?;
    let well = |row: &Row| row.get("ok") == Some(&Value::Bool(true));
    let answer = rows.iter().all(well).into();
    if args.problems {
        rows.retain(|row| !well(row));
    }
    if !context.output.json {
        // What is to be acted on is not shortened, and not in a table.
        for row in rows.iter().filter(|row| !well(row)) {
            let text = |name: &str| row.get(name).and_then(Value::as_str).unwrap_or_default();
            eprintln!("{}", crate::text::harmless(&format!("{}: {}. {}", text("check"), text("detail"), text("hint"))));
        }
        rows.iter_mut().for_each(|row| drop(row.remove("hint")));
    }
    context.output.rows(&rows, "All is well.");
    Ok(answer)
}
