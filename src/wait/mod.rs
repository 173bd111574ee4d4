//! Waiting and listening: hearing of jobs without asking.
//!
//! A wait publishes what it waits for, then looks, then sleeps: what happens in between sets its latch. While it sleeps it
//! has no snapshot, and no lock but that of its own idle transaction.
//!
//! - [`for_work`] CALL pgq.wait
//! - [`for_jobs`] CALL pgq.wait_for
//! - [`listen`]   LISTEN, and the channels' names

mod for_jobs;
mod for_work;
mod listen;

use crate::error::Error;
use crate::pg::procedure::{self, Procedure};
use crate::pg::{self, Time};
use crate::shmem::{memory, session};
use pgqueuer_core::claims::{Relation, Wanted};
use pgrx::datum::Interval;

/// The least time between two looks that nobody asked for, microseconds.
const LOOKS_APART: Time = 5_000;
/// Where no worker of the database can tell of what falls due or is lost, one looks so often, microseconds.
const UNATTENDED: Time = 1_000_000;

/// What one look came to.
enum Looked {
    /// What was waited for is there.
    Found,
    /// It is not; look again at that time at the latest.
    Again(Option<Time>),
}

/// The session's place among those who wait, for as long as this lives.
struct Place {
    place: usize,
    session: u64,
}

impl Place {
    fn take(relation: Relation, wanted: Wanted<'_>) -> Option<Self> {
        let (session, latch) = (session::number(), pg::latch());
        let place = memory::change(|claims| claims.wait(session, relation, latch, wanted)).flatten()?;
        session::waits_at(Some(place));
        Some(Self { place, session })
    }

    /// Whether somebody has woken the session since it last asked.
    fn woken(&self) -> bool {
        memory::change(|claims| claims.take_wake(self.place, self.session)) == Some(true)
    }

    /// The look that followed has answered.
    fn looked(&self) {
        memory::change(|claims| claims.looked(self.place, self.session));
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        memory::change(|claims| claims.stop_waiting(self.place, self.session));
        session::waits_at(None);
    }
}

/// Waits until `look` finds what it looks for, or so long. Each look is a transaction of its own. Lengths are measured by a
/// clock that nobody sets.
fn wait(
    within: &Procedure,
    wanted: Wanted<'_>,
    timeout: Time,
    mut look: impl FnMut() -> Result<Looked, Error>,
) -> Result<bool, Error> {
    let begun = pg::steady();
    let timeout = procedure::at_most(timeout);
    let left = || timeout.saturating_sub(pg::steady().saturating_sub(begun)).max(0);
    let (mut relation, mut place) = (Relation::default(), None);
    loop {
        // The extension may have been made anew: another table, where this session waits for nothing yet.
        let current = memory::relation(pg::relation(c"job")?);
        if current != relation {
            drop(place.take());
            (relation, place) = (current, Place::take(current, wanted));
        }
        let looked = procedure::as_owner_of(c"job", &mut look)?;
        place.iter().for_each(Place::looked);
        let Looked::Again(again) = looked else { return Ok(true) };
        within.commit();
        let mut sleep = again.map_or(left(), |again| again.saturating_sub(pg::now()));
        if place.is_none() || memory::read(|claims| claims.is_attended(relation)) == Some(false) {
            sleep = sleep.min(UNATTENDED);
        }
        // No answer of a look may make this turn in circles.
        let until = pg::steady().saturating_add(procedure::at_most(sleep.max(LOOKS_APART).min(left())));
        // Asks before it sleeps: the latch may have been taken for something else that the look waited for.
        let mut woken = place.as_ref().is_some_and(Place::woken);
        while !woken && pg::steady() < until {
            procedure::sleep(until.saturating_sub(pg::steady()));
            woken = place.as_ref().is_some_and(Place::woken);
        }
        if !woken && left() == 0 {
            return Ok(false);
        }
    }
}

/// How long to wait, microseconds.
fn timeout(given: Option<Interval>) -> Result<Time, Error> {
    let timeout = given.map(|timeout| pg::microseconds(&timeout));
    match timeout.filter(|timeout| (0..=pg::LONGEST).contains(timeout)) {
        Some(timeout) => Ok(timeout),
        None => {
            let hint = "Allowed are intervals such as '30 s', up to '100 years'.";
            Err(Error::argument("timeout", "be from 0 to 100 years, and not NULL", None, hint))
        }
    }
}
