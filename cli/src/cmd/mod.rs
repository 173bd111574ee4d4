//! The commands, a file each.

mod jobs;
mod web;

use crate::args::{Cli, Global};
use crate::connect;
use crate::error::Result;
use crate::output::{Answer, Output};
use clap::Subcommand;
use pgqueuer_client::Postgres;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Live jobs, the next one first
    Jobs(jobs::Args),
    /// The dashboard in a browser
    Web(web::Args),
}

/// What a command works with.
pub struct Context {
    pub queue: Postgres,
    pub global: Global,
    pub output: Output,
}

impl Context {
    /// An entrypoint's name in the database.
    pub fn prefixed(&self, entrypoint: &str) -> String {
        format!("{}{entrypoint}", self.global.prefix)
    }
}

/// Runs a command.
pub async fn run(cli: Cli) -> Result<Answer> {
    let Cli { global, command } = cli;
    let context = Context { queue: connect::queue(&global)?, output: Output { json: global.json }, global };
    match command {
        Command::Jobs(args) => jobs::run(&context, args).await,
        Command::Web(args) => web::run(&context, args).await,
    }
}
