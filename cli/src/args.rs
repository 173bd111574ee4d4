//! What can be asked on the command line.

use crate::cmd::Command;
use clap::{ArgAction, Args, Parser};

/// Administration of pgqueuer, the job queue inside PostgreSQL; workers for any program; metrics and dashboards.
#[derive(Debug, Parser)]
#[command(name = "pgq", version, max_term_width = 100)]
#[command(
    after_help = "Begin with: pgq install, pgq enqueue hello world, pgq jobs. Each command has examples: pgq jobs --help.\n\
                        Exit codes: 0 done, 1 refused or not so, 2 wrong usage, 3 no connection to the server."
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// None: the page of help.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command understands.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The server and database: postgresql://user@host:port/database, or keyword=value as libpq has it. What it leaves open
    /// is taken from the service file and libpq's variables (PGSERVICE, PGHOST, PGPASSFILE, PGSSLMODE …)
    #[arg(long, global = true, env = "PGQUEUER_DSN", hide_env_values = true, value_name = "DSN")]
    pub dsn: Option<String>,
    /// Goes before every entrypoint name, so that several applications share a database
    #[arg(long, global = true, env = "PGQUEUER_PREFIX", default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// JSON instead of tables, one value
    #[arg(long, global = true, action = ArgAction::SetTrue)]
    pub json: bool,
}
