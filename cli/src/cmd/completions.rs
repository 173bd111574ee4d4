//! `pgq completions`: for a shell to load.

use crate::help;
use crate::output::Answer;
use clap_complete::Shell;

/// For which shell.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  source <(pgq completions bash)\n  pgq completions fish > ~/.config/fish/completions/pgq.fish"
)]
pub struct Args {
    /// The shell
    shell: Shell,
}

pub fn run(args: &Args) -> Answer {
    let mut script = vec![];
    clap_complete::generate(args.shell, &mut help::command(), "pgq", &mut script);
    crate::output::line(&String::from_utf8_lossy(&script));
    Answer::Yes
}
