//! Whether schedules tick in this database. Where it was restored or copied from another they do not, until somebody says
//! so with `pgq.arm`: a copy for staging must not run production's schedules.
//!
//! CREATE EXTENSION writes down where it was made, in a table that is not dumped, and every schedule names that
//! installation. So a copy of the files is known by its system, database or table, and a restored dump by schedules that
//! name another installation. A copy without schedules has nothing that must not run: it is armed with its first one.

use crate::error::{self, Error};
use crate::pg::argument;
use crate::pg::spi::Parameter;
use crate::shmem::memory;
use crate::{pg, statement};
use pgqueuer_core::claims::Relation;
use pgrx::prelude::pg_extern;
use pgrx::{PgSqlErrorCode, Uuid};
use std::cell::Cell;

/// A name for an installation that no other has: a random UUID. The server has such a function from 13 on.
#[pg_extern(sql = false)]
fn new_installation() -> Uuid {
    let mut bytes = pg::random::<16>();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    argument::uuid(bytes)
}

/// What was found about this database.
struct Arming {
    ticks: bool,
    /// It ticks, and the server has been upgraded since that was written down.
    upgraded: bool,
    /// It does not, because it is a copy of the files.
    copied: bool,
    /// It was copied, but there is nothing that could tick.
    empty: bool,
    /// The version of the row that says so.
    version: String,
}

impl Arming {
    fn look() -> Result<Self, Error> {
        statement::ARMING.run(&place()?, |rows| {
            let Some(row) = rows.first() else {
                return Ok(Self { ticks: false, upgraded: false, copied: false, empty: false, version: String::new() });
            };
            let [armed, same_table, same_place, upgraded, foreign, any] =
                [1, 2, 3, 4, 5, 6].map(|column| row.is(column));
            let here = armed && same_table && (same_place || upgraded);
            let ticks = !any || here && !foreign;
            let version = row.text(7).unwrap_or_default();
            let (upgraded, copied, empty) = (here && upgraded, armed && !here && any, !here && !any);
            Ok(Self { ticks, upgraded, copied, empty, version })
        })
    }
}

impl Arming {
    /// Where this is, and whether schedules tick here. False where somebody else has written that since it was read.
    fn write_down(&self) -> Result<bool, Error> {
        let [system, database, job, major] = place()?;
        let (ticks, version) = (self.ticks.into(), self.version.as_str().into());
        // What is brought from where it was copied from must be known again.
        let parameters = [system, database, job, major, ticks, version, self.empty.into()];
        statement::SETTLE.run(&parameters, |rows| Ok(rows.len() > 0))
    }
}

/// The first schedule is about to be made: a copy in which there was none is armed.
///
/// # Errors
/// [`Error::Gone`].
pub fn begin() -> Result<(), Error> {
    let arming = Arming::look()?;
    if arming.empty {
        arming.write_down()?;
    }
    Ok(())
}

/// Where this is: system identifier, database, table of jobs, major version of the server.
fn place() -> Result<[Parameter; 4], Error> {
    let job = pg::relation(c"job")?;
    Ok([
        pg::system_identifier().into(),
        pgrx::pg_sys::Oid::from(pg::my_database()).into(),
        job.into(),
        pg::major_version().into(),
    ])
}

/// Whether schedules tick here. Called by the worker, which writes down what a copy or an upgrade has changed. `anew` where
/// schedules may have come since it last asked.
///
/// # Errors
/// [`Error::Gone`].
pub fn settle(relation: Relation, anew: bool) -> Result<bool, Error> {
    if let Some(known) = memory::read(|claims| claims.is_armed(relation)).flatten().filter(|_| !anew) {
        return Ok(known);
    }
    let arming = Arming::look()?;
    if (arming.upgraded || arming.copied) && !arming.write_down()? {
        // Somebody has armed it meanwhile: that commit asks for another look.
        return Ok(false);
    }
    memory::change(|claims| claims.set_armed(relation, arming.ticks));
    Ok(arming.ticks)
}

thread_local! {
    static WARNED: Cell<bool> = const { Cell::new(false) };
}

/// Says with the first claim of a session that schedules do not tick.
///
/// # Errors
/// [`Error::Gone`].
pub fn warn_once() -> Result<(), Error> {
    if WARNED.replace(true) {
        return Ok(());
    }
    let relation = memory::relation(pg::relation(c"job")?);
    let known = memory::read(|claims| claims.is_armed(relation)).flatten();
    if !known.map_or_else(ticks, Ok)? {
        let message = "no schedule of this database ticks: it was restored or copied from another".to_owned();
        error::warn(PgSqlErrorCode::ERRCODE_WARNING, message, "SELECT pgq.arm() lets them tick from then on.");
    }
    Ok(())
}

/// Whether schedules tick here.
///
/// # Errors
/// [`Error::Gone`].
pub fn ticks() -> Result<bool, Error> {
    Ok(Arming::look()?.ticks)
}

/// From now on this is where schedules tick. Whoever calls this makes them those of this installation.
///
/// # Errors
/// [`Error::Gone`].
pub fn arm() -> Result<(), Error> {
    statement::ARM.run(&place()?, |_| Ok(()))
}

/// Lets the triggers of `pgq.jobs` fire whatever `session_replication_role` says.
///
/// # Errors
/// [`Error::Broken`].
pub fn always_fire() -> Result<(), Error> {
    statement::ALWAYS_FIRE.run(&[], |_| Ok(()))
}
