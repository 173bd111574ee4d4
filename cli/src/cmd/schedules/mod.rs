//! `pgq schedules`: jobs that come by the clock.

mod add;
mod next;
mod run;

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use clap::Subcommand;
use pgqueuer_client::Control;
use serde_json::json;
use tokio_postgres::types::Type;

/// What to do with schedules.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Examples:\n  pgq schedules\n  pgq schedules add report \"30 6 * * mon-fri\" --timezone Europe/Berlin\n  \
                        pgq schedules next \"0 9 1 * *\" -n 3\n  pgq schedules run report\n  pgq schedules remove report\n\n\
                        Each tick of a schedule enqueues one job."
)]
pub struct Args {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List them, the next to tick first
    List,
    /// Make one, or change the one of that name
    Add(add::Args),
    /// Remove them; jobs that they have enqueued stay
    Remove(Names),
    /// Let them tick no more
    Pause(Names),
    /// Let them tick again; ticks of the pause are not made up for
    Resume(Names),
    /// Enqueue a job now, as a tick would
    Run(run::Args),
    /// Show when an expression ticks
    Next(next::Args),
}

/// Which schedules.
#[derive(Debug, clap::Args)]
struct Names {
    /// Their names
    #[arg(required = true, value_name = "NAME")]
    names: Vec<String>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    match args.what.unwrap_or(What::List) {
        What::List => list(context).await,
        What::Add(args) => add::run(context, args).await,
        What::Run(args) => run::run(context, args).await,
        What::Next(args) => next::run(context, args).await,
        What::Remove(Names { names }) => {
            each(context, names, "removed", "there is no such schedule", async |name| {
                context.queue.unschedule(&name).await
            })
            .await
        }
        What::Pause(Names { names }) => {
            let why = "there is no such schedule, or it is paused already";
            each(context, names, "paused", why, async |name| context.queue.pause_schedule(&name).await).await
        }
        What::Resume(Names { names }) => {
            let why = "there is no such schedule, or it is not paused";
            each(context, names, "resumed", why, async |name| context.queue.resume_schedule(&name).await).await
        }
    }
}

async fn list(context: &Context) -> Result<Answer> {
    let rows = query::look(&context.queue, sql!("schedules"), &[(&context.global.prefix, Type::TEXT)]).await?;
    context.output.rows(&rows, "No schedules.");
    Ok(Answer::Yes)
}

/// Does it to each, and says which it was done to. No where there is one it could not be done to.
async fn each(
    context: &Context,
    names: Vec<String>,
    done: &str,
    why: &str,
    act: impl AsyncFn(String) -> pgqueuer_client::Result<bool>,
) -> Result<Answer> {
    let (mut changed, mut left_out) = (vec![], vec![]);
    for name in names {
        let to = if act(context.prefixed(&name)).await? { &mut changed } else { &mut left_out };
        to.push(name);
    }
    if context.output.json {
        context.output.value(&json!({ done: changed, "left_out": left_out }));
    } else {
        changed.iter().for_each(|name| context.output.done(&format!("{name} is {done}"), json!(null)));
        left_out.iter().for_each(|name| eprintln!("pgq: {}: {why}", crate::text::harmless(name)));
    }
    Ok(left_out.is_empty().into())
}
