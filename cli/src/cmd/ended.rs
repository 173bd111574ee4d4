//! What a command did to jobs that were named by their ids, and what it left alone and why.

use super::Context;
use crate::error::Result;
use crate::output::{Answer, count};
use pgqueuer_client::{Producer, Status};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// So many ids are told; the rest is counted.
const TOLD: usize = 20;

/// Says which were `done` ("canceled"), and what the others are. No where there are others.
pub async fn tell(context: &Context, done: &str, asked: &[i64], changed: &[i64]) -> Result<Answer> {
    let changed: BTreeSet<i64> = changed.iter().copied().collect();
    let left: Vec<i64> =
        asked.iter().copied().filter(|id| !changed.contains(id)).collect::<BTreeSet<_>>().into_iter().collect();
    let known = if left.is_empty() { vec![] } else { context.queue.status(&left).await? };
    let left: Vec<(i64, &str)> = left
        .into_iter()
        .map(|id| (id, known.iter().find(|job| job.id == id).map_or("not known", |job| why(done, job.status))))
        .collect();
    if context.output.json {
        let left_out: Vec<Value> = left.iter().map(|(id, status)| json!({ "id": id, "status": status })).collect();
        context.output.value(&json!({ done: changed, "left_out": left_out }));
    } else {
        if !changed.is_empty() {
            let ids: Vec<String> = changed.iter().take(TOLD).map(i64::to_string).collect();
            let rest = if changed.len() > TOLD { " …" } else { "" };
            let jobs = count(i64::try_from(changed.len()).unwrap_or(i64::MAX), "job");
            context.output.done(&format!("{jobs} {done}: {}{rest}", ids.join(", ")), Value::Null);
        }
        for (id, status) in &left {
            eprintln!("pgq: job {id} is not {done}: {status}");
        }
    }
    Ok(left.is_empty().into())
}

fn why(done: &str, status: Status) -> &'static str {
    match (done, status) {
        ("requeued", Status::Failed) => "failed, and its dedupe key belongs to another job",
        (_, status) => status.word(),
    }
}
