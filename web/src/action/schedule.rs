//! Actions on a schedule: pause, resume, run now.

use super::{Done, Form};
use crate::app::App;
use crate::failure::{Failure, Result};
use crate::find::column;
use crate::read::{commit, raw};
use crate::sql;
use deadpool_postgres::Transaction;
use pgqueuer_client::Control;
use tokio_postgres::types::Type;

fn done(word: &'static str, number: i64) -> Done {
    Done { word, number, to: "/schedules".to_owned() }
}

pub async fn pause(app: &App, form: &Form, pause: bool) -> Result<Done> {
    let name = &form.name("name")?;
    let mut lent = app.lend().await?;
    let write = lent.write().await?;
    is_ours(&write, app, name).await?;
    let changed = if pause { write.pause_schedule(name).await? } else { write.resume_schedule(name).await? };
    commit(write).await?;
    Ok(match (changed, pause) {
        (false, _) => done("same", 0),
        (true, true) => done("stopped", 0),
        (true, false) => done("resumed", 0),
    })
}

async fn is_ours(write: &Transaction<'_>, app: &App, name: &str) -> Result<()> {
    let of = [(&name as _, Type::TEXT), (&app.options.prefix as _, Type::TEXT)];
    let rows = raw(write, sql!("schedule_is_ours"), &of).await?;
    let known: Option<bool> = rows.first().map(|row| column(row, 0)).transpose()?;
    if known == Some(true) { Ok(()) } else { Err(gone()) }
}

/// A job as a tick would make it; the next tick comes when it was to come.
pub async fn run(app: &App, form: &Form) -> Result<Done> {
    let name = &form.name("name")?;
    let mut lent = app.lend().await?;
    let write = lent.write().await?;
    let of = [(&name as _, Type::TEXT), (&app.options.prefix as _, Type::TEXT)];
    let rows = raw(&write, sql!("run_schedule"), &of).await?;
    let id: i64 = column(rows.first().ok_or_else(gone)?, 0)?;
    commit(write).await?;
    Ok(done("enqueued", id))
}

fn gone() -> Failure {
    Failure::not_found("There is no such schedule")
}
