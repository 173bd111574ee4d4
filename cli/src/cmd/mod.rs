//! The commands, a file each.

mod jobs;

use crate::args::{Cli, Global};
use crate::connect::Server;
use crate::error::Result;
use crate::output::{Answer, Output};
use clap::Subcommand;
use pgqueuer_client::Postgres;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Live jobs, the next one first
    Jobs(jobs::Args),
}

/// What a command works with.
pub struct Context {
    pub server: Server,
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
    let server = Server::named_by(&global)?;
    let context = Context { queue: server.queue()?, server, output: Output { json: global.json }, global };
    let answer = match command {
        Command::Jobs(args) => jobs::run(&context, args).await,
    };
    answer.map_err(|error| error.at(&context.server))
}
