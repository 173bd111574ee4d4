//! `pgq`: administration of pgqueuer, workers for any program, metrics and dashboards.
//!
//! - [`args`]    what can be asked
//! - [`connect`] where the server is
//! - [`cmd`]     the commands, a file each
//! - [`query`]   SQL, a file each, and rows as JSON
//! - [`output`]  tables for people, JSON for programs
//! - [`text`]    hostile text made harmless for a terminal
//! - [`error`]   what went wrong, what to do about it, and the exit code

mod args;
mod cmd;
mod connect;
mod error;
mod output;
mod query;
mod text;

use args::Cli;
use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match cmd::run(cli).await {
        Ok(answer) => answer.into(),
        Err(error) => {
            error.print();
            error.exit_code()
        }
    }
}
