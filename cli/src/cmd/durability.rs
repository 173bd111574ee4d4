//! `pgq durability`: what survives a crash of the server.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use clap::ValueEnum;
use serde_json::json;
use tokio_postgres::types::Type;

/// Which level.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq durability\n  pgq durability balanced\n  pgq durability volatile --dry-run\n\n\
                        A change rewrites the tables, keeps their rows, and has others wait meanwhile."
)]
pub struct Args {
    /// The new level; the present one is shown where none is given
    level: Option<Level>,
    /// Print the SQL and do nothing
    #[arg(long, requires = "level")]
    dry_run: bool,
}

/// What survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Everything
    Durable,
    /// Jobs and settings, not the log: less to write
    Balanced,
    /// Nothing: after a crash the queue is empty
    Volatile,
}

impl Level {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Durable => "durable",
            Self::Balanced => "balanced",
            Self::Volatile => "volatile",
        }
    }

    /// For somebody to run elsewhere.
    pub fn sql(self) -> String {
        sql!("set_durability").trim().replace("$1", &format!("'{}'", self.word())) + ";"
    }
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    if let (Some(level), true) = (args.level, args.dry_run) {
        crate::output::line(&level.sql());
        return Ok(Answer::Yes);
    }
    if let Some(level) = args.level {
        set(context, level).await?;
    }
    let level: String = query::value(&context.queue, sql!("durability"), &[]).await?;
    context.output.done(&level, json!({ "durability": level }));
    Ok(Answer::Yes)
}

/// # Errors
/// Those of `pgq.set_durability`.
pub async fn set(context: &Context, level: Level) -> Result<()> {
    query::run(&context.queue, sql!("set_durability"), &[(&level.word(), Type::TEXT)]).await?;
    Ok(())
}
