//! `pgq revoke`: takes all rights on the queue from a role.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use crate::query;
use crate::sql;
use serde_json::json;
use tokio_postgres::types::Type;

/// Whose rights.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  pgq revoke shop")]
pub struct Args {
    /// The role that loses them
    role: String,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    query::run(&context.queue, sql!("revoke_all"), &[(&args.role, Type::TEXT)]).await?;
    context.output.done(&format!("{} has no rights on the queue any more", args.role), json!({ "role": args.role }));
    Ok(Answer::Yes)
}
