//! `pgq`: administration of pgqueuer, workers for any program, metrics and dashboards.
//!
//! - [`args`], [`help`] what can be asked, and the page that says so
//! - [`connect`]    where the server is
//! - [`cmd`]        the commands, a file each
//! - [`query`]      SQL, a file each, and rows as JSON
//! - [`bounded`]    the same in read-only transactions that end in time
//! - [`exposition`] what the server counts
//! - [`time`]       times and lengths of time, as people write them
//! - [`confirm`]    a question before what cannot be undone
//! - [`output`]     tables for people, JSON for programs
//! - [`text`]       hostile text made harmless for a terminal
//! - [`error`]      what went wrong, what to do about it, and the exit code

mod args;
mod bounded;
mod cmd;
mod confirm;
mod connect;
mod error;
mod help;
mod output;
mod query;
mod text;
mod time;

use args::Cli;
use clap::FromArgMatches;
use cmd::work::keeper;
use std::process::ExitCode;

fn main() -> ExitCode {
    if keeper::is_asked_for() {
        return keeper::keep();
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("pgq: no threads: {error}");
            return ExitCode::from(1);
        }
    };
    let code = runtime.block_on(run());
    // A thread that writes where nobody reads must not hold up the end.
    runtime.shutdown_background();
    code
}

async fn run() -> ExitCode {
    let cli = Cli::from_arg_matches(&help::command().get_matches()).unwrap_or_else(|error| error.exit());
    let Some(command) = cli.command else {
        // A closed pipe is no reason to complain.
        help::command().print_help().ok();
        return ExitCode::from(2);
    };
    match cmd::run(cli.global, command).await {
        Ok(answer) => answer.into(),
        Err(error) => {
            error.print();
            error.exit_code()
        }
    }
}
