//! `pgq top`: the queue in a terminal, as it goes.
//!
//! - [`board`]  what there is to see
//! - [`pane`], [`line`] the lists, their columns, a row as it is shown
//! - [`state`], [`keys`] what the viewer has chosen, what a key does
//! - [`action`] what can be changed
//! - [`screen`] the loop: keys, looks, signals
//! - [`terminal`] taken, and given back however it ends
//! - [`layout`], [`draw`], [`graph`], [`list`], [`over`], [`paint`] what stands where
//! - [`plain`]  the same without a terminal

mod action;
mod board;
mod draw;
mod graph;
mod keys;
mod layout;
mod line;
mod list;
mod over;
mod paint;
mod pane;
mod plain;
mod screen;
mod state;
mod terminal;

use super::Context;
use crate::error::{Error, Result};
use crate::output::Answer;
use crate::text::harmless;
use crate::time::Length;
use board::{Asked, Board};
use pane::Pane;
use pgqueuer_web::look::{Look, Unseen};
use state::State;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

/// Looks that are nearer to each other show nothing new.
const SHORTEST: Duration = Duration::from_millis(500);
/// Nobody waits for longer.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
/// For how long a table that is printed once waits for the log of the last hour.
const LOG: Duration = Duration::from_secs(3);

/// How often, and how.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq top\n  pgq top --read-only --interval \"10 s\"\n  pgq top --once\n  pgq top --json | jq .entrypoints\n\n\
                        ? shows the keys. Without a terminal it prints tables, once, or each --interval where that is given. \
                        NO_COLOR is respected. docs/top.md tells more."
)]
pub struct Args {
    /// How often it looks; at least 0.5 s; 2 s if not given
    #[arg(short, long, value_name = "LENGTH")]
    interval: Option<Length>,
    /// How many rows a list has at most where tables or JSON are printed
    #[arg(short = 'n', long, default_value_t = 25, value_parser = clap::value_parser!(u16).range(1..))]
    limit: u16,
    /// Print tables and end, also on a terminal
    #[arg(long)]
    once: bool,
    /// Looks and changes nothing
    #[arg(long)]
    read_only: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let interval = args.interval.map(|Length(interval)| interval.min(LONGEST));
    if interval.is_some_and(|interval| interval < SHORTEST) {
        return Err(Error::usage("--interval is too short", "Give at least \"500 ms\"."));
    }
    // Whether there is a server is told as every command tells it.
    drop(context.queue.pool().get().await.map_err(pgqueuer_client::Error::from)?);
    let look = Look::new(context.queue.clone(), &context.global.prefix);
    if args.once || context.output.json || !terminal::is_here() {
        return print(context, &look, interval.filter(|_| !args.once), args.limit.into()).await;
    }
    // What is wrong from the start is told before the screen is taken.
    let first = Asked { panes: vec![Pane::Entrypoints], most: 0, failed_of: None, patience: Duration::ZERO };
    let board = Board::fetched(&look, &first, &context.global.prefix).await.map_err(unseen)?;
    let about =
        draw::About { title: harmless(context.server.database()).into_owned(), paint: paint::Paint::of_terminal() };
    let shared = Arc::new(context.clone());
    let state = State::new(board, args.read_only);
    screen::show(shared, look, &about, interval.unwrap_or(Duration::from_secs(2)), state).await?;
    Ok(Answer::Yes)
}

fn unseen(unseen: Unseen) -> Error {
    Error::System { what: unseen.title, source: std::io::Error::other(unseen.detail) }
}

async fn print(context: &Context, look: &Look, interval: Option<Duration>, most: usize) -> Result<Answer> {
    let asked = Asked { panes: Pane::ALL.to_vec(), most, failed_of: None, patience: LOG };
    loop {
        let board = Board::fetched(look, &asked, &context.global.prefix).await.map_err(unseen)?;
        let is_read = plain::print(context, &board);
        match interval {
            Some(interval) if is_read => sleep(interval).await,
            _ => return Ok(Answer::Yes),
        }
    }
}
