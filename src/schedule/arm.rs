//! `pgq.arm`: the schedules of a database that was restored or copied tick, from now on.

use super::fire::{Advance, advance};
use super::{changed, next_of};
use crate::pg::spi::Row;
use crate::{installation, pg, statement};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

#[pg_extern(sql = false)]
fn arm() -> Result<bool, ErrorReport> {
    if installation::ticks()? {
        return Ok(false);
    }
    installation::arm()?;
    let now = pg::now();
    let adopted: Vec<Advance> = statement::ADOPT_SCHEDULES.run(&[], |rows| {
        let from_now_on = |row: Row| {
            let next_tick = next_of(&row.text(2)?, &row.text(3)?, now).filter(|_| row.is(4));
            Some(Advance { id: row.big(1)?, next_tick, last_tick: None, last_job: None, note: None })
        };
        Ok(rows.iter().filter_map(from_now_on).collect())
    })?;
    advance(adopted.iter())?;
    changed()?;
    Ok(true)
}

/// Whether they tick.
#[pg_extern(sql = false)]
fn is_armed() -> Result<bool, ErrorReport> {
    Ok(installation::ticks()?)
}
