//! INSERT and COPY into pgq.jobs enqueue a job; UPDATE and DELETE are refused. Triggers of the view.

use super::enqueue::{NewJob, insert};
use crate::error::{Error, raise};
use crate::pg;
use crate::pg::argument::Raw;
use crate::shmem::transaction::{self, Then};
use crate::shmem::{memory, service};
use crate::statement;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::{PgTrigger, pg_trigger};
use pgrx::{AllocatedByRust, PgTriggerError, WhoAllocated};

/// Columns that the queue itself fills: the id, and those that tell of a claim, which are memory.
const NOT_TO_BE_GIVEN: [&str; 5] = ["id", "status", "attempts", "worker", "picked"];

/// A row of INSERT or COPY: NULL means the default.
#[pg_trigger(sql = false)]
fn jobs_insert<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, PgTriggerError> {
    let row = trigger.new().ok_or(PgTriggerError::NotTrigger)?;
    Ok(Some(enqueue_row(row.into_owned()).unwrap_or_else(|error| raise(error))))
}

fn enqueue_row(mut row: PgHeapTuple<'_, AllocatedByRust>) -> Result<PgHeapTuple<'_, AllocatedByRust>, Error> {
    for name in NOT_TO_BE_GIVEN {
        if column(&row, name)?.is_some() {
            let hint = "Leave the column out: the queue fills it.";
            return Err(Error::argument(name, "not be given", None, hint));
        }
    }
    let text = |name| Ok::<_, Error>(column(&row, name)?.and_then(Raw::text));
    let (entrypoint, dedupe_key, ordering_key) = (text("entrypoint")?, text("dedupe_key")?, text("ordering_key")?);
    let priority = column(&row, "priority")?.and_then(Raw::int).unwrap_or(0);
    let created = column(&row, "created")?;
    if created.is_some_and(|created| [i64::MIN, i64::MAX].contains(&(created.0.value() as i64))) {
        return Err(Error::argument(
            "created",
            "be finite",
            None,
            "Leave the column out: it is the time of the INSERT.",
        ));
    }
    let inserted = insert(&NewJob {
        entrypoint: entrypoint.as_deref(),
        payload: column(&row, "payload")?,
        priority: Some(priority),
        execute_after: column(&row, "execute_after")?,
        delay: None,
        dedupe_key: dedupe_key.as_deref(),
        headers: column(&row, "headers")?,
        ordering_key: ordering_key.as_deref(),
        created,
    })?;
    let queued = statement::STATUS.run(&["queued".into()], |rows| Ok(rows.first().and_then(|row| row.datum(1))))?;
    set(&mut row, "id", Some(Raw(inserted.id.into())))?;
    set(&mut row, "status", queued.map(Raw))?;
    set(&mut row, "attempts", Some(Raw(0.into())))?;
    set(&mut row, "priority", Some(Raw(priority.into())))?;
    set(&mut row, "created", inserted.created.map(|time| Raw(time.into())))?;
    set(&mut row, "execute_after", inserted.execute_after.or(inserted.created).map(|time| Raw(time.into())))?;
    Ok(row)
}

fn column(row: &PgHeapTuple<'_, AllocatedByRust>, name: &str) -> Result<Option<Raw>, Error> {
    row.get_by_name(name).map_err(|error| Error::Broken(format!("column {name}: {error}")))
}

fn set(row: &mut PgHeapTuple<'_, AllocatedByRust>, name: &str, value: Option<Raw>) -> Result<(), Error> {
    let Some(value) = value else { return Ok(()) };
    row.set_by_name(name, value).map_err(|error| Error::Broken(format!("column {name}: {error}")))
}

/// UPDATE and DELETE on the view.
#[pg_trigger(sql = false)]
fn jobs_refuse<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, PgTriggerError> {
    let command = if trigger.event().fired_by_update() { "UPDATE" } else { "DELETE" };
    raise(Error::NotByHand { command })
}

/// Rows of the table itself were written. Where not by a statement of ours (a restore, an operator, replication), nobody
/// has told of them.
#[pg_trigger(sql = false)]
fn job_written<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, impl WhoAllocated>>, PgTriggerError> {
    if memory::is_there() && !pg::spi::is_running() {
        let relation = memory::relation(trigger.relid()?);
        service::ensure(relation);
        transaction::reserve(1).unwrap_or_else(|error| raise(error));
        transaction::stirred(relation);
    }
    Ok(trigger.new())
}

/// TRUNCATE of the table: its claims end with the commit.
#[pg_trigger(sql = false)]
fn job_truncated<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, impl WhoAllocated>>, PgTriggerError> {
    transaction::reserve(1).unwrap_or_else(|error| raise(error));
    transaction::emptied(memory::relation(trigger.relid()?), Then::Keep);
    Ok(trigger.old())
}
