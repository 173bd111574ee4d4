//! [`Backend`] over SQL: what a worker needs.

use super::session::{Parameter, Session, column, ids, only};
use super::{Postgres, statement};
use crate::backend::{Backend, Claim, End, Ended, Fetch, Signals};
use crate::error::Result;
use crate::job::Job;
use crate::retry::Backoff;
use crate::telemetry;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use std::time::Duration;
use tokio_postgres::types::{Timestamp, Type};
use tokio_postgres::{Client, Row};
use uuid::Uuid;

#[async_trait]
impl Backend for Postgres {
    /// The rows come before the claims are committed: what is lost with the connection is rolled back. A worker would hold, as
    /// long as it beats, jobs of which it never heard.
    async fn dequeue(&self, fetch: &Fetch<'_>) -> Result<Vec<Job>> {
        let lent = self.lend().await?;
        let (jobs, process) = self.in_time(claim(lent.client()?, fetch)).await?;
        if let Err(error) = self.in_time(lent.client()?.batch_execute("COMMIT")).await {
            drop(lent);
            if let Some(process) = process {
                self.give_back(fetch.worker, &jobs, process).await;
            }
            return Err(error);
        }
        lent.give_back();
        Ok(jobs)
    }

    async fn finish(&self, worker: Uuid, ended: &[Ended]) -> Result<Vec<i64>> {
        let mut batch = Batch::default();
        ended.iter().for_each(|ended| batch.add(ended));
        batch.send(self, worker).await
    }

    async fn heartbeat(&self, worker: Uuid, lease: Duration, held: &[i64]) -> Result<Vec<i64>> {
        let parameters: [Parameter; 3] =
            [(&worker, Type::UUID), (&lease.as_secs_f64(), Type::FLOAT8), (&held, Type::INT8_ARRAY)];
        ids(&self.rows(&statement::HEARTBEAT, &parameters).await?)
    }

    async fn signals(&self, worker: Uuid, entrypoints: &[String]) -> Result<Option<Box<dyn Signals>>> {
        self.listen(worker, entrypoints).await
    }

    async fn queued(&self, entrypoints: &[String]) -> Result<i64> {
        only(&self.rows(&statement::QUEUED, &[(&entrypoints, Type::TEXT_ARRAY)]).await?)
    }
}

/// Completes a job in whatever transaction the session is in.
pub(crate) async fn complete(session: &impl Session, worker: Uuid, job: &Job) -> Result<bool> {
    let (ids, attempts) = ([job.id], [job.attempts]);
    let parameters: [Parameter; 3] =
        [(&ids.as_slice(), Type::INT8_ARRAY), (&worker, Type::UUID), (&attempts.as_slice(), Type::INT4_ARRAY)];
    let done: Vec<i64> = only(&session.rows(&statement::COMPLETE, &parameters).await?)?;
    Ok(!done.is_empty())
}

impl Postgres {
    /// Whether these claims came about is not known: if so, they are over. The COMMIT may still be on its way: its session
    /// ends first, so that none comes about later.
    async fn give_back(&self, worker: Uuid, jobs: &[Job], process: i32) {
        let claim = |job: &Job| Claim { id: job.id, attempt: job.attempts };
        let ended: Vec<_> = jobs.iter().map(|job| Ended { claim: claim(job), end: End::Release }).collect();
        let mut backoff = Backoff::default();
        while let Err(error) = self.end_session_and_claims(worker, &ended, process).await {
            telemetry::call_failed("release", &error);
            backoff.sleep().await;
        }
    }

    async fn end_session_and_claims(&self, worker: Uuid, ended: &[Ended], process: i32) -> Result<()> {
        self.rows(&statement::END_SESSION, &[(&process, Type::INT4)]).await?;
        self.finish(worker, ended).await?;
        Ok(())
    }
}

/// Claims in a transaction that is still to be committed. Returns the server's process, too, where there are jobs.
async fn claim(client: &Client, fetch: &Fetch<'_>) -> Result<(Vec<Job>, Option<i32>)> {
    let (most, lease) = (fetch.most, fetch.lease.as_secs_f64());
    let parameters: [Parameter; 4] = [
        (&fetch.entrypoints, Type::TEXT_ARRAY),
        (&most, Type::INT4),
        (&fetch.worker, Type::UUID),
        (&lease, Type::FLOAT8),
    ];
    // One message: the second does not wait for the answer to the first.
    let (begun, rows) = tokio::join!(client.batch_execute("BEGIN"), client.rows(&statement::DEQUEUE, &parameters));
    begun?;
    let rows = rows?;
    let process = rows.first().map(|row| column(row, 11)).transpose()?;
    let mut jobs = Vec::with_capacity(rows.len());
    for row in &rows {
        jobs.push(job(row)?);
    }
    Ok((jobs, process))
}

/// Claims that end in one way: their columns.
#[derive(Default)]
struct Columns<'a> {
    ids: Vec<i64>,
    attempts: Vec<i32>,
    errors: Vec<&'a Value>,
    delays: Vec<f64>,
    reasons: Vec<Option<&'a str>>,
}

impl Columns<'_> {
    fn claim(&mut self, claim: Claim) {
        self.ids.push(claim.id);
        self.attempts.push(claim.attempt);
    }
}

/// Claims that end, sorted by the function that ends them.
#[derive(Default)]
struct Batch<'a> {
    complete: Columns<'a>,
    fail: Columns<'a>,
    retry: Columns<'a>,
    hold: Columns<'a>,
    release: Columns<'a>,
}

impl<'a> Batch<'a> {
    fn add(&mut self, ended: &'a Ended) {
        let columns = match &ended.end {
            End::Complete => &mut self.complete,
            End::Fail(error) => {
                self.fail.errors.push(error);
                &mut self.fail
            }
            End::Retry(delay, reason) => {
                self.retry.delays.push(delay.as_secs_f64());
                self.retry.reasons.push(reason.as_deref());
                &mut self.retry
            }
            End::Hold(error) => {
                self.hold.errors.push(error);
                &mut self.hold
            }
            End::Release => &mut self.release,
        };
        columns.claim(ended.claim);
    }

    /// A statement for each way that occurs. Where one fails, those before it have taken effect: sent once more, they have
    /// none.
    async fn send(&self, session: &impl Session, worker: Uuid) -> Result<Vec<i64>> {
        let Self { complete, fail, retry, hold, release } = self;
        let mut done = vec![];
        if !complete.ids.is_empty() {
            let parameters: [Parameter; 3] =
                [(&complete.ids, Type::INT8_ARRAY), (&worker, Type::UUID), (&complete.attempts, Type::INT4_ARRAY)];
            let completed: Vec<i64> = only(&session.rows(&statement::COMPLETE, &parameters).await?)?;
            done.extend(completed);
        }
        if !fail.ids.is_empty() {
            let parameters: [Parameter; 4] = [
                (&fail.ids, Type::INT8_ARRAY),
                (&fail.attempts, Type::INT4_ARRAY),
                (&fail.errors, Type::JSONB_ARRAY),
                (&worker, Type::UUID),
            ];
            done.extend(ids(&session.rows(&statement::FAIL, &parameters).await?)?);
        }
        if !retry.ids.is_empty() {
            let parameters: [Parameter; 5] = [
                (&retry.ids, Type::INT8_ARRAY),
                (&retry.attempts, Type::INT4_ARRAY),
                (&retry.delays, Type::FLOAT8_ARRAY),
                (&retry.reasons, Type::TEXT_ARRAY),
                (&worker, Type::UUID),
            ];
            done.extend(ids(&session.rows(&statement::RETRY, &parameters).await?)?);
        }
        if !hold.ids.is_empty() {
            let parameters: [Parameter; 4] = [
                (&hold.ids, Type::INT8_ARRAY),
                (&hold.errors, Type::JSONB_ARRAY),
                (&worker, Type::UUID),
                (&hold.attempts, Type::INT4_ARRAY),
            ];
            done.extend(ids(&session.rows(&statement::HOLD, &parameters).await?)?);
        }
        if !release.ids.is_empty() {
            let parameters: [Parameter; 3] =
                [(&release.ids, Type::INT8_ARRAY), (&worker, Type::UUID), (&release.attempts, Type::INT4_ARRAY)];
            done.extend(ids(&session.rows(&statement::RELEASE, &parameters).await?)?);
        }
        Ok(done)
    }
}

fn job(row: &Row) -> Result<Job> {
    let headers: Option<Value> = column(row, 3)?;
    Ok(Job {
        id: column(row, 0)?,
        entrypoint: column(row, 1)?,
        payload: column(row, 2)?,
        headers: if let Some(Value::Object(headers)) = headers { headers } else { Map::new() },
        priority: column(row, 4)?,
        attempts: column(row, 5)?,
        created: time(column(row, 6)?),
        execute_after: time(column(row, 7)?),
        picked: time(column(row, 8)?),
        dedupe_key: column(row, 9)?,
        ordering_key: column(row, 10)?,
    })
}

/// `-infinity` is a start like any other in the past.
pub(super) fn time(time: Timestamp<DateTime<Utc>>) -> DateTime<Utc> {
    match time {
        Timestamp::PosInfinity => DateTime::<Utc>::MAX_UTC,
        Timestamp::NegInfinity => DateTime::<Utc>::MIN_UTC,
        Timestamp::Value(time) => time,
    }
}
