//! `pgq workers`: who works, on what, and for how long it will be believed.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use tokio_postgres::types::Type;

/// Nothing to choose.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq workers\n  pgq workers --json\n\n\
                        A session worker lives as long as its connection; a named one has to be heard of within its lease, of \
                        which \"left\" is left.")]
pub struct Args {}

pub async fn run(context: &Context, _: Args) -> Result<Answer> {
    let rows = query::look(&context.queue, sql!("workers"), &[(&context.global.prefix, Type::TEXT)]).await?;
    context.output.rows(&rows, "No workers.");
    Ok(Answer::Yes)
}
