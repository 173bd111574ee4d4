//! `pgq pause`: from now on nothing of an entrypoint is handed out.

use super::Context;
use crate::error::Result;
use crate::output::Answer;
use pgqueuer_client::Control;
use serde_json::{Map, Value};

/// Which entrypoints.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq pause mail\n  pgq resume mail\n\n\
                        Jobs can still be enqueued, and those that workers hold go on.")]
pub struct Args {
    /// Their names
    #[arg(required = true, value_name = "ENTRYPOINT")]
    entrypoints: Vec<String>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let mut changed = Map::new();
    for name in &args.entrypoints {
        let paused = context.queue.pause(&context.prefixed(name)).await?;
        changed.insert(name.clone(), paused.into());
        if !context.output.json {
            let sentence = if paused { format!("{name} is paused") } else { format!("{name} was paused already") };
            context.output.done(&sentence, Value::Null);
        }
    }
    if context.output.json {
        context.output.value(&Value::Object(changed));
    }
    Ok(Answer::Yes)
}
