//! `pgq listen`: what the server tells workers, as it comes.

use super::Context;
use crate::error::{Error, Result};
use crate::output::Answer;
use crate::query;
use crate::sql;
use crate::time::Length;
use chrono::{Local, SecondsFormat, Utc};
use pgqueuer_client::Error as Refused;
use pgqueuer_web::metrics::samples;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use tokio::time::sleep;
use tokio_postgres::Notification;
use tokio_postgres::types::Type;

/// To what, and for how long.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq listen mail\n  pgq listen mail fetch --count 1\n  pgq listen --json --timeout \"10 s\"\n\n\
                        There are jobs: workers that sleep may look. Running jobs were canceled: their workers are to stop. \
                        Several commits may be told of at once."
)]
pub struct Args {
    /// The entrypoints; where none is named, all that the server knows now
    entrypoints: Vec<String>,
    /// End after so many
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// End after so long
    #[arg(long, value_name = "LENGTH")]
    timeout: Option<Length>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let (client, mut notifications) = context.server.session().await?;
    let entrypoints = match context.all_prefixed(&args.entrypoints) {
        Some(names) => names,
        None => known(&client, &context.global.prefix).await?,
    };
    let rows =
        client.query_typed(sql!("channels"), &[(&entrypoints, Type::TEXT_ARRAY)]).await.map_err(Refused::from)?;
    let channels: BTreeMap<String, String> =
        rows.iter().filter_map(|row| Some((row.try_get(1).ok()?, row.try_get(0).ok()?))).collect();
    let names: Vec<&str> = channels.values().map(|name| context.unprefixed(name)).collect();
    eprintln!("Listening to {}. Ctrl-C ends it.", crate::text::harmless(&names.join(", ")));
    let timeout = async {
        match args.timeout {
            Some(Length(timeout)) => sleep(timeout).await,
            None => pending().await,
        }
    };
    let mut timeout = std::pin::pin!(timeout);
    let mut left = args.count;
    while left != Some(0) {
        let heard = tokio::select! {
            heard = notifications.recv() => heard,
            () = &mut timeout => return Ok(Answer::Yes),
        };
        let lost = || Error::Queue(Refused::Connection("the connection was closed".into()));
        let heard = heard.ok_or_else(lost)?;
        if !tell(context, &channels, &heard) {
            return Ok(Answer::Yes);
        }
        left = left.map(|left| left - 1);
    }
    Ok(Answer::Yes)
}

/// The entrypoints that the server counts.
async fn known(client: &tokio_postgres::Client, prefix: &str) -> Result<Vec<String>> {
    let page: String = query::value_from(client, sql!("metrics"), &[]).await?;
    let mut names: BTreeSet<String> =
        samples(&page).filter_map(|mut sample| sample.labels.remove("entrypoint")).collect();
    names.retain(|name| !name.is_empty() && name.starts_with(prefix));
    if names.is_empty() {
        return Err(Error::usage("the server knows no entrypoint yet", "Name one: pgq listen mail"));
    }
    Ok(names.into_iter().collect())
}

/// False where nobody reads any more.
fn tell(context: &Context, channels: &BTreeMap<String, String>, heard: &Notification) -> bool {
    let entrypoint = channels.get(heard.channel()).map(|name| context.unprefixed(name));
    let message: Value = serde_json::from_str(heard.payload()).unwrap_or_else(|_| json!({ "event": "jobs" }));
    let event = message.get("event").and_then(Value::as_str).unwrap_or("jobs");
    let ids = message.get("ids").cloned().unwrap_or_else(|| json!([]));
    let numbers: Vec<String> = ids.as_array().into_iter().flatten().map(Value::to_string).collect();
    let text = format!(
        "{}  {}  {event} {}",
        Local::now().format("%H:%M:%S"),
        entrypoint.unwrap_or_default(),
        numbers.join(", ")
    );
    let at = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let value = json!({ "at": at, "entrypoint": entrypoint, "event": event, "ids": ids, "channel": heard.channel() });
    context.output.next(text.trim_end(), &value)
}
