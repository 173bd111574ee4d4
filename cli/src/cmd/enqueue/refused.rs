//! Which job of a batch the server did not take.

use pgqueuer_client::{Error, NewJob, Producer, Result};
use tokio_postgres::Transaction;

/// Enqueues the jobs of a batch that failed as a whole, ever fewer at one time, until the one is left that fails. Those
/// before it are enqueued then, as they would have been: a dedupe key that a job shares with one before it is found, too.
/// Returns its place and why, or nothing where all of them went well this time.
///
/// # Errors
/// Those of the connection.
pub async fn find(transaction: &mut Transaction<'_>, jobs: &[NewJob]) -> Result<Option<(usize, Error)>> {
    let (mut start, mut end) = (0, jobs.len());
    while start < end {
        let half = start + (end - start).div_ceil(2);
        let savepoint = transaction.transaction().await?;
        match savepoint.enqueue_many(jobs.get(start..half).unwrap_or_default().to_vec()).await {
            Ok(_) => {
                savepoint.commit().await?;
                start = half;
            }
            Err(refused @ Error::Refused(_)) => {
                savepoint.rollback().await?;
                if half - start == 1 {
                    return Ok(Some((start, refused)));
                }
                end = half;
            }
            Err(lost) => return Err(lost),
        }
    }
    Ok(None)
}
