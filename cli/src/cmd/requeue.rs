//! `pgq requeue`: queues failed jobs again, as if they had never been tried.

use super::{Context, ended};
use crate::error::Result;
use crate::output::{Answer, count};
use crate::query;
use crate::sql;
use indicatif::ProgressBar;
use pgqueuer_client::Control;
use serde_json::json;
use tokio_postgres::types::Type;

/// So many at one time: workers wait for no row for longer than that takes.
const BATCH: i64 = 1000;

/// Which jobs.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq requeue 7 8\n  pgq requeue --all\n  pgq requeue --all --entrypoint mail\n\n\
                        A job whose dedupe key belongs to another job by now stays as it is. Exit code 1 where a job that was \
                        named was not queued.")]
pub struct Args {
    /// Their ids
    #[arg(required_unless_present = "all", conflicts_with = "all", value_name = "ID")]
    ids: Vec<i64>,
    /// All failed jobs
    #[arg(long)]
    all: bool,
    /// Of all, only those of this entrypoint; may be given more than once
    #[arg(long, requires = "all", value_name = "ENTRYPOINT")]
    entrypoint: Vec<String>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    if args.all {
        return all(context, &args.entrypoint).await;
    }
    let requeued = context.queue.requeue(&args.ids).await?;
    ended::tell(context, "requeued", &args.ids, &requeued).await
}

/// Batch by batch, each a transaction of its own, upwards by the ids: one that cannot be queued is passed over once.
async fn all(context: &Context, entrypoints: &[String]) -> Result<Answer> {
    let entrypoints = context.all_prefixed(entrypoints);
    let client = context.queue.pool().get().await.map_err(pgqueuer_client::Error::from)?;
    let ids = async |above: i64| -> Result<Vec<i64>> {
        let parameters: [query::Parameter; 4] = [
            (&entrypoints, Type::TEXT_ARRAY),
            (&context.global.prefix, Type::TEXT),
            (&above, Type::INT8),
            (&BATCH, Type::INT8),
        ];
        let rows = client.query_typed(sql!("failed_ids"), &parameters).await.map_err(pgqueuer_client::Error::from)?;
        Ok(rows.iter().filter_map(|row| row.try_get(0).ok()).collect())
    };
    let progress = ProgressBar::new_spinner();
    let (mut above, mut requeued, mut left_out) = (i64::MIN, 0, 0);
    loop {
        let batch = ids(above).await?;
        let Some(last) = batch.last() else { break };
        above = *last;
        let done = context.queue.requeue(&batch).await?.len();
        requeued += done;
        left_out += batch.len() - done;
        progress.set_message(format!("{requeued} requeued"));
        progress.tick();
    }
    progress.finish_and_clear();
    let jobs = count(i64::try_from(requeued).unwrap_or(i64::MAX), "job");
    let but = if left_out > 0 {
        format!("; {left_out} left out, whose dedupe key belongs to another job")
    } else {
        String::new()
    };
    context.output.done(&format!("{jobs} requeued{but}"), json!({ "requeued": requeued, "left_out": left_out }));
    Ok((left_out == 0).into())
}
