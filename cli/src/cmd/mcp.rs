//! stub
use super::Context;
use crate::error::Result;
use crate::output::Answer;
/// a
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq mcp")]
pub struct Args {}
pub async fn run(_context: &Context, _args: Args) -> Result<Answer> {
    Ok(Answer::Yes)
}
