//! `pgq.cron_next`: when an expression ticks.

use super::{read, zone};
use crate::error::Error;
use crate::pg::argument::Raw;
use crate::pg::set::{Call, Set};
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use std::iter::successors;

/// How many times one call gives at most.
const MOST: i32 = 100_000;

#[pg_extern(sql = false)]
fn cron_next(
    cron: Option<&str>,
    after: Option<Raw>,
    timezone: Option<&str>,
    count: Option<i32>,
    call: Call,
) -> Result<(), ErrorReport> {
    let mut set = Set::begin_anywhere(&call)?;
    let (expression, zone) = (read(cron)?, zone(timezone)?);
    let Some(after) = after.map(|after| after.0.value() as i64) else {
        let hint = "Pass a time, or leave it out for now.";
        return Err(Error::argument("after", "not be NULL", None, hint).into());
    };
    let Some(count) = count.filter(|count| (1..=MOST).contains(count)) else {
        let shown = count.map_or_else(|| "It is NULL.".to_owned(), |count| format!("It is {count}."));
        return Err(Error::argument("count", "be from 1 to 100000", shown, "Allowed are 1 to 100000.").into());
    };
    for tick in successors(expression.next(zone, after), |tick| expression.next(zone, *tick)).take(count as usize) {
        set.put(&[Some(tick.into())]);
        pgrx::check_for_interrupts!();
    }
    Ok(())
}
