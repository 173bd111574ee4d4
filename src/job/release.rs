//! `pgq.release`: a worker gives claims back. The row is not touched: it was never anything but queued. The attempt does
//! not count, and nothing is logged.

use super::fence;
use super::wake::wake;
use crate::error::Error;
use crate::lease::Caller;
use crate::pg::argument::Raw;
use crate::statement;
use pgrx::Uuid;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn release(ids: Option<Raw>, worker: Option<Uuid>, attempts: Option<Raw>) -> Result<Vec<i64>, ErrorReport> {
    let caller = Caller::of("pgq.release", c"pgq.release()", worker)?;
    let (ids, attempts) = fence::ids_and_attempts(ids, attempts)?;
    let mut ended = fence::begin(&caller, &ids, &attempts)?;
    ended.sort_by_key(|claim| claim.place);
    let ids: Vec<i64> = ended.iter().map(|claim| claim.key.id).collect();
    wake_workers_of(&ids)?;
    Ok(ids)
}

fn wake_workers_of(ids: &[i64]) -> Result<(), Error> {
    statement::ENTRYPOINTS_OF.run(&[ids.to_vec().into()], |rows| {
        rows.iter().filter_map(|row| row.text(1)).for_each(|entrypoint| wake(&entrypoint));
        Ok(())
    })
}
