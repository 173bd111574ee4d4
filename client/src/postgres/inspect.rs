//! [`Inspect`] over SQL: what tests look at.

use super::consume::time;
use super::produce::status_of;
use super::session::{Session, column};
use super::statement;
use crate::error::Result;
use crate::testing::{Inspect, LiveJob, LoggedEnd};
use async_trait::async_trait;
use serde_json::{Map, Value};
use tokio_postgres::Row;

#[async_trait]
impl<S: Session> Inspect for S {
    async fn live_jobs(&self) -> Result<Vec<LiveJob>> {
        self.rows(&statement::LIVE_JOBS, &[]).await?.iter().map(live_job).collect()
    }

    async fn logged_ends(&self) -> Result<Vec<LoggedEnd>> {
        self.rows(&statement::LOGGED_ENDS, &[]).await?.iter().map(logged_end).collect()
    }
}

fn live_job(row: &Row) -> Result<LiveJob> {
    let headers: Option<Value> = column(row, 3)?;
    Ok(LiveJob {
        id: column(row, 0)?,
        entrypoint: column(row, 1)?,
        payload: column(row, 2)?,
        headers: if let Some(Value::Object(headers)) = headers { headers } else { Map::new() },
        priority: column(row, 4)?,
        status: status_of(column(row, 5)?)?,
        attempts: column(row, 6)?,
        worker: column(row, 7)?,
        created: time(column(row, 8)?),
        execute_after: time(column(row, 9)?),
        picked: column(row, 10)?,
        dedupe_key: column(row, 11)?,
        ordering_key: column(row, 12)?,
    })
}

fn logged_end(row: &Row) -> Result<LoggedEnd> {
    Ok(LoggedEnd {
        job_id: column(row, 0)?,
        entrypoint: column(row, 1)?,
        priority: column(row, 2)?,
        attempts: column(row, 3)?,
        worker: column(row, 4)?,
        outcome: status_of(column(row, 5)?)?,
        error: column(row, 6)?,
        created: time(column(row, 7)?),
        picked: column(row, 8)?,
        finished: column(row, 9)?,
    })
}
