//! `pgq metrics`: what the queue counts, for Prometheus and whatever reads its format.
//!
//! - [`queue`]    one database: what it says, and what went wrong
//! - [`cluster`]  one database or all of the server, each in its turn
//! - [`look`]     one look for all who ask at one time
//! - [`choice`]   which entrypoints are told
//! - [`page`]     families of samples as text, in both formats
//! - [`serve`]    `/metrics`, `/healthz`

mod choice;
mod cluster;
mod look;
mod page;
mod queue;
mod serve;

use super::Context;
use crate::error::{Error, Result};
use crate::output::Answer;
use cluster::Cluster;
use page::Format;
use pgqueuer_web::metrics::{Sample, samples};
use serde_json::{Value, json};
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// What is told, and where.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  pgq metrics\n  pgq metrics --listen\n  pgq metrics --listen 0.0.0.0:19187 --all-databases\n  \
                        pgq metrics > pgqueuer.prom.new; mv pgqueuer.prom.new pgqueuer.prom\n\n\
                        With --listen it serves /metrics and /healthz until it is told to end. However many ask, the database \
                        is asked one thing at a time, and at most once a second. While the database is away, /metrics says \
                        pgqueuer_up 0. docs/metrics.md tells what is counted, and has a dashboard and alerts."
)]
pub struct Args {
    /// Serve them there, instead of printing them once
    #[arg(
        long,
        env = "PGQUEUER_METRICS_LISTEN",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:19187",
        value_name = "ADDRESS:PORT"
    )]
    listen: Option<SocketAddr>,
    /// Of every database of the server that has a queue and that this role may look into, not of one alone
    #[arg(long)]
    all_databases: bool,
    /// How many seconds the database may take for one answer
    #[arg(long, default_value_t = 5, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
    /// How many entrypoints of a database are told
    #[arg(long, default_value_t = 1000, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    max_entrypoints: u32,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let told = choice::Limits {
        prefix: context.global.prefix.clone(),
        most: usize::try_from(args.max_entrypoints).unwrap_or(usize::MAX),
    };
    let patience = Duration::from_secs(args.timeout);
    let cluster = Cluster::new(context.server.clone(), args.all_databases, patience, told)?;
    match args.listen {
        Some(address) => serve::serve(context, cluster, address).await,
        None => print(context, cluster).await,
    }
}

/// Prints them once; where a database says nothing, that too, and how the command ends.
async fn print(context: &Context, mut cluster: Cluster) -> Result<Answer> {
    let look = cluster.look().await;
    let page = look.page().text(Format::Prometheus);
    if context.output.json {
        context.output.value(&as_json(&page));
    } else if let Err(source) = std::io::stdout().write_all(page.as_bytes())
        && source.kind() != std::io::ErrorKind::BrokenPipe
    {
        return Err(Error::System { what: "the metrics cannot be written".into(), source });
    }
    let mut failures: Vec<Error> = look.databases.into_iter().filter_map(|database| database.failure).collect();
    let last = failures.pop();
    failures.iter().for_each(Error::print);
    last.map_or(Ok(Answer::Yes), Err)
}

fn as_json(page: &str) -> Value {
    let sample = |sample: Sample| json!({ "name": sample.name, "labels": sample.labels, "value": sample.value });
    samples(page).map(sample).collect()
}
