//! Actions on failed jobs: those that were selected, or all of the list.

use super::job::ours;
use super::{Done, Form};
use crate::app::App;
use crate::failure::{Failure, Result};
use crate::find::{Wanted, find_some};
use crate::page::encoded;
use crate::read::commit;
use deadpool_postgres::Transaction;
use pgqueuer_client::Control;
use std::time::{Duration, Instant};

/// How many are changed in one transaction: workers may take the first ones while the rest follow.
const BATCH: usize = 500;
/// How many one click changes at most, and for how long.
const MOST: i64 = 20_000;
const LONGEST: Duration = Duration::from_secs(10);

#[derive(Clone, Copy)]
enum Verb {
    Requeue,
    Delete,
}

/// `what`: `requeue`, `delete`, and the same with `-all`.
pub async fn act(app: &App, form: &Form) -> Result<Done> {
    let entrypoint = &form.name("entrypoint")?;
    let (verb, all) = match form.required("what")? {
        "requeue" => (Verb::Requeue, false),
        "delete" => (Verb::Delete, false),
        "requeue-all" => (Verb::Requeue, true),
        "delete-all" => (Verb::Delete, true),
        _ => return Err(Failure::bad("There is no such action", "The form was changed.")),
    };
    let (word, number) = match (all, form.ids()?) {
        (false, ids) if ids.is_empty() => ("none", 0),
        (false, ids) => (said(verb), selected(app, verb, &ids).await?),
        (true, _) => (said(verb), every(app, verb, entrypoint).await?),
    };
    let filter = if entrypoint.is_empty() { String::new() } else { format!("?entrypoint={}", encoded(entrypoint)) };
    Ok(Done { word, number, to: format!("/failures{filter}") })
}

const fn said(verb: Verb) -> &'static str {
    match verb {
        Verb::Requeue => "requeued",
        Verb::Delete => "deleted",
    }
}

async fn change(write: &Transaction<'_>, verb: Verb, ids: &[i64]) -> Result<i64> {
    let changed = match verb {
        Verb::Requeue => write.requeue(ids).await?,
        Verb::Delete => write.delete(ids).await?,
    };
    Ok(changed.len() as i64)
}

async fn selected(app: &App, verb: Verb, ids: &[i64]) -> Result<i64> {
    let mut lent = app.lend().await?;
    let write = lent.write().await?;
    let ids = ours(&write, app, ids).await?;
    let number = change(&write, verb, &ids).await?;
    commit(write).await?;
    Ok(number)
}

/// The last failure first, a batch after the other: what cannot be changed is passed over, not met again.
async fn every(app: &App, verb: Verb, entrypoint: &str) -> Result<i64> {
    let full = (!entrypoint.is_empty()).then(|| app.full(entrypoint));
    let wanted = Wanted::Failed { entrypoint: full.as_deref() };
    let begun = Instant::now();
    let mut lent = app.lend().await?;
    let (mut number, mut cursor) = (0, None);
    while number < MOST && begun.elapsed() < LONGEST {
        let write = lent.write().await?;
        let found = find_some(&write, app, wanted, cursor.as_deref(), BATCH).await?;
        number += change(&write, verb, &found.ids).await?;
        commit(write).await?;
        cursor = found.next;
        if cursor.is_none() {
            break;
        }
    }
    Ok(number)
}
