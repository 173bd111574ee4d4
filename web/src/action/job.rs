//! Actions on one job. What happens to jobs that are not shown here is nobody's business here.

use super::{Done, Form};
use crate::app::App;
use crate::failure::{Failure, Result};
use crate::find::column;
use crate::read::{commit, raw};
use crate::sql;
use chrono::Utc;
use deadpool_postgres::Transaction;
use pgqueuer_client::Control;
use tokio_postgres::types::Type;

/// Those of these jobs that are shown here.
pub async fn ours(write: &Transaction<'_>, app: &App, ids: &[i64]) -> Result<Vec<i64>> {
    if app.options.prefix.is_empty() {
        return Ok(ids.to_vec());
    }
    let of = [(&ids as _, Type::INT8_ARRAY), (&app.options.prefix as _, Type::TEXT)];
    raw(write, sql!("ours"), &of).await?.iter().map(|row| column(row, 0)).collect()
}

pub async fn cancel(app: &App, form: &Form) -> Result<Done> {
    one(app, form, "canceled").await
}

pub async fn delete(app: &App, form: &Form) -> Result<Done> {
    one(app, form, "deleted").await
}

pub async fn requeue(app: &App, form: &Form) -> Result<Done> {
    one(app, form, "requeued").await
}

pub async fn run_now(app: &App, form: &Form) -> Result<Done> {
    one(app, form, "due").await
}

async fn one(app: &App, form: &Form, word: &'static str) -> Result<Done> {
    let [id] = form.ids()?.try_into().map_err(|_| Failure::bad("Which job?", "The form names one job."))?;
    let mut lent = app.lend().await?;
    let write = lent.write().await?;
    let ids = ours(&write, app, &[id]).await?;
    let done = match word {
        "canceled" => write.cancel(&ids).await?,
        "deleted" => write.delete(&ids).await?,
        "requeued" => write.requeue(&ids).await?,
        _ => write.reschedule(&ids, Utc::now(), None).await?,
    };
    commit(write).await?;
    Ok(Done { word, number: done.len() as i64, to: format!("/jobs/{id}") })
}
