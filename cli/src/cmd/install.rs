//! `pgq install`: CREATE EXTENSION.

use super::Context;
use super::durability::{self, Level};
use crate::error::Result;
use crate::output::{Answer, Row, line};
use crate::query;
use crate::sql;
use serde_json::{Value, json};

/// How.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq install\n  pgq install --dry-run\n  pgq install --durability balanced --if-missing\n\n\
                        The server must have the extension's files, and needs the line shared_preload_libraries = 'pgqueuer' \
                        in postgresql.conf to hand out jobs."
)]
pub struct Args {
    /// What survives a crash of the server; can be changed later
    #[arg(short, long, value_name = "LEVEL")]
    durability: Option<Level>,
    /// Do nothing where it is installed already
    #[arg(long)]
    if_missing: bool,
    /// Print the SQL and do nothing
    #[arg(long)]
    dry_run: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let statement = if args.if_missing { sql!("create_extension_if_missing") } else { sql!("create_extension") };
    if args.dry_run {
        line(&format!("{};", statement.trim()));
        args.durability.iter().for_each(|level| line(&level.sql()));
        return Ok(Answer::Yes);
    }
    let before = installed(context).await?;
    query::run(&context.queue, statement, &[]).await?;
    let version = installed(context).await?;
    if let Some(level) = args.durability.filter(|_| before.is_none()) {
        durability::set(context, level).await?;
    }
    let text = version.as_deref().unwrap_or_default();
    let sentence = match before {
        None => format!("pgqueuer {text} is installed"),
        Some(_) => format!("pgqueuer {text} was installed already"),
    };
    context.output.done(&sentence, json!({ "installed": version, "was_there": before.is_some() }));
    warn(context).await?;
    Ok(Answer::Yes)
}

/// The version that is in this database.
pub async fn installed(context: &Context) -> Result<Option<String>> {
    let rows = query::rows(&context.queue, sql!("extension"), &[]).await?;
    Ok(text(rows.first(), "installed"))
}

/// A text of a row.
pub fn text(row: Option<&Row>, name: &str) -> Option<String> {
    row?.get(name)?.as_str().map(str::to_owned)
}

/// What would keep jobs from being handed out is said at once.
async fn warn(context: &Context) -> Result<()> {
    let rows = query::look(&context.queue, sql!("health"), &[]).await?;
    let bad = rows.iter().filter(|row| row.get("ok") == Some(&Value::Bool(false)));
    for row in bad.filter(|row| matches!(row.get("check").and_then(Value::as_str), Some("preload" | "version"))) {
        let text = |name| text(Some(row), name).unwrap_or_default();
        eprintln!("warning: {}\nhint: {}", text("detail"), text("hint"));
    }
    Ok(())
}
