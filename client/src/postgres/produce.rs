//! [`Producer`] over SQL.

use super::session::{Parameter, Session, column, only};
use super::statement;
use crate::error::{Error, Result};
use crate::job::{JobStatus, Status};
use crate::new_job::{NewJob, Start};
use crate::producer::Producer;
use crate::telemetry;
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};
use tokio_postgres::Row;
use tokio_postgres::types::{Timestamp, Type};
use tracing::Instrument;

#[async_trait]
impl<S: Session> Producer for S {
    async fn enqueue(&self, mut job: NewJob) -> Result<Option<i64>> {
        let span = telemetry::send(&mut job);
        let id = one(self, &job).instrument(span.clone()).await;
        telemetry::sent(&span, std::iter::once(job.entrypoint.as_str()), id.as_ref().map(std::slice::from_ref));
        id
    }

    async fn enqueue_many(&self, mut jobs: Vec<NewJob>) -> Result<Vec<Option<i64>>> {
        let span = telemetry::send_many(&mut jobs);
        let ids = many(self, &jobs).instrument(span.clone()).await;
        telemetry::sent(&span, jobs.iter().map(|job| job.entrypoint.as_str()), ids.as_deref());
        ids
    }

    async fn status(&self, ids: &[i64]) -> Result<Vec<JobStatus>> {
        self.rows(&statement::STATUS, &[(&ids, Type::INT8_ARRAY)]).await?.iter().map(job_status).collect()
    }
}

async fn one(session: &impl Session, job: &NewJob) -> Result<Option<i64>> {
    let parameters: [Parameter; 9] = [
        (&job.entrypoint, Type::TEXT),
        (&job.payload, Type::BYTEA),
        (&job.priority, Type::INT4),
        (&at(job), Type::TIMESTAMPTZ),
        (&delay(job), Type::FLOAT8),
        (&job.dedupe_key, Type::TEXT),
        (&job.on_conflict.word(), Type::TEXT),
        (&object(&job.headers), Type::JSONB),
        (&job.ordering_key, Type::TEXT),
    ];
    only(&session.rows(&statement::ENQUEUE, &parameters).await?)
}

async fn many(session: &impl Session, jobs: &[NewJob]) -> Result<Vec<Option<i64>>> {
    let Some(first) = jobs.first() else { return Ok(vec![]) };
    if jobs.iter().any(|job| job.on_conflict != first.on_conflict) {
        return Err(Error::Option("the jobs of one batch must agree in on_conflict".into()));
    }
    let deferred = jobs.iter().any(|job| job.start != Start::Now);
    let starts = if deferred { jobs } else { &[] };
    let parameters: [Parameter; 9] = [
        (&entrypoints(first, jobs), Type::TEXT_ARRAY),
        (&each(jobs, |job| job.payload.as_deref()), Type::BYTEA_ARRAY),
        (&any(jobs, |job| (job.priority != 0).then_some(job.priority)), Type::INT4_ARRAY),
        (&each(starts, at), Type::TIMESTAMPTZ_ARRAY),
        (&each(starts, delay), Type::FLOAT8_ARRAY),
        (&any(jobs, |job| job.dedupe_key.as_deref()), Type::TEXT_ARRAY),
        (&first.on_conflict.word(), Type::TEXT),
        (&any(jobs, |job| object(&job.headers)), Type::JSONB_ARRAY),
        (&any(jobs, |job| job.ordering_key.as_deref()), Type::TEXT_ARRAY),
    ];
    only(&session.rows(&statement::ENQUEUE_MANY, &parameters).await?)
}

/// One for all where they agree.
fn entrypoints<'a>(first: &'a NewJob, jobs: &'a [NewJob]) -> Vec<&'a str> {
    if jobs.iter().all(|job| job.entrypoint == first.entrypoint) {
        return vec![&first.entrypoint];
    }
    each(jobs, |job| job.entrypoint.as_str())
}

fn each<'a, T>(jobs: &'a [NewJob], value: impl Fn(&'a NewJob) -> T) -> Vec<T> {
    jobs.iter().map(value).collect()
}

/// SQL NULL where no job has one: that costs the server less than an array of as many.
fn any<'a, T>(jobs: &'a [NewJob], value: impl Fn(&'a NewJob) -> Option<T>) -> Option<Vec<Option<T>>> {
    let values = each(jobs, value);
    values.iter().any(Option::is_some).then_some(values)
}

/// SQL NULL where there are none.
pub(super) fn object(headers: &Map<String, Value>) -> Option<Value> {
    (!headers.is_empty()).then(|| Value::Object(headers.clone()))
}

/// The ends of chrono's calendar stand for never and always.
pub(super) fn time(time: DateTime<Utc>) -> Timestamp<DateTime<Utc>> {
    if time == DateTime::<Utc>::MAX_UTC {
        Timestamp::PosInfinity
    } else if time == DateTime::<Utc>::MIN_UTC {
        Timestamp::NegInfinity
    } else {
        Timestamp::Value(time)
    }
}

fn at(job: &NewJob) -> Option<Timestamp<DateTime<Utc>>> {
    match job.start {
        Start::At(at) => Some(time(at)),
        Start::Now | Start::After(_) => None,
    }
}

fn delay(job: &NewJob) -> Option<f64> {
    match job.start {
        Start::After(delay) => Some(delay.as_secs_f64()),
        Start::Now | Start::At(_) => None,
    }
}

pub(super) fn status_of(word: &str) -> Result<Status> {
    Status::of(word).ok_or_else(|| Error::Answer(format!("the status \"{word}\" is not known").into()))
}

fn job_status(row: &Row) -> Result<JobStatus> {
    Ok(JobStatus {
        id: column(row, 0)?,
        status: status_of(column(row, 1)?)?,
        attempts: column(row, 2)?,
        error: column(row, 3)?,
        finished_at: column(row, 4)?,
    })
}
