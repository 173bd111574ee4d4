//! `pgq resume`: an entrypoint is handed out again.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use pgqueuer_client::Control;
use serde_json::{Map, Value};

/// Which entrypoints.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq resume mail\n  pgq resume mail fetch")]
pub struct Args {
    /// Their names
    #[arg(required = true, value_name = "ENTRYPOINT")]
    entrypoints: Vec<String>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let mut changed = Map::new();
    for name in &args.entrypoints {
        let resumed = context.queue.resume(&context.prefixed(name)).await?;
        changed.insert(name.clone(), resumed.into());
        if !context.output.json {
            let sentence =
                if resumed { format!("{name} is handed out again") } else { format!("{name} was not paused") };
            context.output.done(&sentence, Value::Null);
        }
    }
    if context.output.json {
        context.output.value(&Value::Object(changed));
    }
    Ok(Answer::Yes)
}
