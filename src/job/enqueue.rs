//! `pgq.enqueue`: checks, inserts one row, returns its id. Knows nothing of workers.

use super::check::{self, OnConflict};
use super::enqueue_many::{Batch, enqueue_batch};
use super::wake::{Starts, enqueued};
use crate::error::Error;
use crate::pg::argument::Raw;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgrx::datum::IntoDatum;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::pg_sys::{BYTEAOID, JSONBOID, TIMESTAMPTZOID};
use pgrx::prelude::pg_extern;

/// A job to be enqueued.
#[derive(Default)]
pub struct NewJob<'a> {
    /// The kind of work.
    pub entrypoint: Option<&'a str>,
    /// bytea.
    pub payload: Option<Raw>,
    /// Higher first.
    pub priority: Option<i32>,
    /// timestamptz: earliest start.
    pub execute_after: Option<Raw>,
    /// interval: the same, relative.
    pub delay: Option<Raw>,
    /// Unique among queued and picked jobs.
    pub dedupe_key: Option<&'a str>,
    /// jsonb.
    pub headers: Option<Raw>,
    /// Jobs with one key run one at a time.
    pub ordering_key: Option<&'a str>,
    /// timestamptz: when it came into being; now, if not given.
    pub created: Option<Raw>,
}

/// What the row says that its producer did not.
pub struct Inserted {
    /// Given by the queue.
    pub id: i64,
    /// When it came into being.
    pub created: Option<Time>,
    /// Earliest start, where there is one.
    pub execute_after: Option<Time>,
    /// When it may run.
    due: Time,
}

macro_rules! overload {
    ($(#[$doc:meta])* $name:ident, $payload:ident) => {
        $(#[$doc])*
        #[pg_extern(sql = false)]
        #[allow(clippy::too_many_arguments)]
        fn $name(
            entrypoint: Option<&str>,
            payload: Option<Raw>,
            priority: Option<i32>,
            execute_after: Option<Raw>,
            delay: Option<Raw>,
            dedupe_key: Option<&str>,
            on_conflict: Option<&str>,
            headers: Option<Raw>,
            ordering_key: Option<&str>,
        ) -> Result<Option<i64>, ErrorReport> {
            let payload = payload.map(Raw::$payload);
            let created = None;
            let job = NewJob {
                entrypoint, payload, priority, execute_after, delay, dedupe_key, headers, ordering_key, created,
            };
            Ok(enqueue(&job, on_conflict)?)
        }
    };
}

overload!(
    /// `pgq.enqueue` with a payload of bytes, text or json.
    enqueue_bytes,
    as_it_is
);
overload!(
    /// `pgq.enqueue` with a payload of jsonb.
    enqueue_jsonb,
    jsonb_as_bytes
);

fn enqueue(job: &NewJob<'_>, on_conflict: Option<&str>) -> Result<Option<i64>, Error> {
    let on_conflict = check::on_conflict(on_conflict)?;
    let entrypoint = checked(job)?;
    if on_conflict == OnConflict::Raise || job.dedupe_key.is_none() {
        return Ok(Some(insert(job)?.id));
    }
    let id = enqueue_batch(&Batch::of_one(job, entrypoint), on_conflict)?;
    Ok(id.into_iter().next().flatten())
}

fn checked<'a>(job: &NewJob<'a>) -> Result<&'a str, Error> {
    let entrypoint = check::entrypoint("entrypoint", job.entrypoint)?;
    check::key("dedupe_key", job.dedupe_key)?;
    check::key("ordering_key", job.ordering_key)?;
    check::headers(job.headers)?;
    if job.execute_after.is_some() && job.delay.is_some() {
        let hint = "Pass execute_after for a time, or delay for a time from now.";
        return Err(Error::argument("execute_after", "not be given together with delay", None, hint));
    }
    Ok(entrypoint)
}

/// Checks and inserts one job and wakes its workers; a dedupe key that is taken is an error.
///
/// # Errors
/// [`Error::Argument`], [`Error::Duplicate`].
pub fn insert(job: &NewJob<'_>) -> Result<Inserted, Error> {
    let entrypoint = checked(job)?;
    let producer = pg::caller();
    let parameters = [
        Parameter::time(pg::now()),
        entrypoint.into(),
        job.payload.into(),
        job.priority.unwrap_or(0).into(),
        job.execute_after.into(),
        job.delay.into(),
        job.dedupe_key.into(),
        job.headers.into(),
        job.ordering_key.into(),
        producer.as_deref().into(),
        job.created.into(),
    ];
    let run = || {
        statement::ENQUEUE.run(&parameters, |rows| {
            let row = rows.first().ok_or_else(|| Error::Broken("a job was not inserted".to_owned()))?;
            let id = row.big(1).unwrap_or_default();
            Ok(Inserted { id, created: row.time(2), execute_after: row.time(3), due: row.time(4).unwrap_or(Time::MIN) })
        })
    };
    let inserted =
        if job.dedupe_key.is_some() { pg::catch_duplicate(run, |detail| Error::Duplicate { detail })? } else { run()? };
    let relation = memory::relation(pg::relation(c"job")?);
    enqueued(relation, entrypoint, Starts::at(inserted.due), 1, 1)?;
    Ok(inserted)
}

impl Batch {
    /// One job as a batch, for the statements that know what to do where a key is taken.
    fn of_one(job: &NewJob<'_>, entrypoint: &str) -> Self {
        let after = job.execute_after.or_else(|| job.delay.map(|delay| pg::argument::later(pg::now(), delay)));
        let array = |value: Option<Raw>, element| value.map(|value| value.alone_in_array(element));
        Self {
            count: 1,
            one_entrypoint: Some(entrypoint.to_owned()),
            entrypoints: None,
            payloads: array(job.payload, BYTEAOID),
            priorities: vec![job.priority].into_datum().map(Raw),
            execute_after: array(after, TIMESTAMPTZOID),
            dedupe_keys: vec![job.dedupe_key].into_datum().map(Raw),
            headers: array(job.headers, JSONBOID),
            ordering_keys: vec![job.ordering_key].into_datum().map(Raw),
        }
    }
}
