//! Failed jobs that have been held for longer than `pgqueuer.failed_retention`: deleted and logged, the oldest first.
//! Called by the database's worker alone. Waits for no row: what somebody has locked is passed over.

use super::wake;
use crate::error::Error;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::transaction;
use crate::statement;
use pgqueuer_core::claims::{JobKey, Outcome, Relation};

/// What the log says of them.
const REASON: &str = "held as failed for longer than pgqueuer.failed_retention";

/// Deletes up to `most` jobs that have been held since a time in `[from, until]`, the oldest first. Returns how many.
///
/// # Errors
/// [`Error::Broken`].
pub fn failed(relation: Relation, from: Time, until: Time, most: usize) -> Result<usize, Error> {
    transaction::reserve(most)?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let [now, from, until] = [pg::now(), from, until].map(Parameter::time);
    let parameters = [now, from, until, most.into(), REASON.into()];
    let deleted: Vec<(i64, String)> = statement::PRUNE_FAILED
        .run(&parameters, |rows| Ok(rows.iter().filter_map(|row| Some((row.big(1)?, row.text(2)?))).collect()))?;
    for (id, entrypoint) in &deleted {
        transaction::ended(JobKey { relation, id: *id });
        wake::ended(relation, entrypoint, Outcome::Deleted, 1)?;
    }
    Ok(deleted.len())
}

/// Since when the job has been held that has been for the longest time, of those since `from` or later.
///
/// # Errors
/// [`Error::Broken`].
pub fn oldest(from: Time) -> Result<Option<Time>, Error> {
    statement::OLDEST_FAILED.run(&[Parameter::time(from)], |rows| Ok(rows.first().and_then(|row| row.time(1))))
}
