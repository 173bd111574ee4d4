//! `pgq.dequeue`: claims the best jobs and hands them out.
//!
//! A claim is published first and the row looked at second, with a snapshot taken after that. Everybody who changes a
//! row locks it first and looks at the claims second. So of the two at least one sees the other, and a claim needs no
//! write. What the second look finds changed, or locked by somebody else, is passed over and its claim dropped.

use super::candidate::{Candidate, Candidates};
use super::check;
use super::gate::{Gate, Gates, Terms};
use super::touched::{CLAIMABLE, Settled, XMAX};
use crate::error::Error;
use crate::installation;
use crate::lease::{self, Caller};
use crate::pg::argument::Raw;
use crate::pg::set::{Call, Set};
use crate::pg::spi::{Parameter, Row};
use crate::pg::{self, Time};
use crate::shmem::{memory, transaction};
use crate::statement;
use pgqueuer_core::claims::{Claims, JobKey, Refusal};
use pgrx::datum::Interval;
use pgrx::pg_sys::Datum;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;
use pgrx::{IntoDatum, Uuid};
use std::collections::HashMap;

/// How often one call begins again because settings changed.
const BEGINNINGS: usize = 3;
/// How many claims one round publishes before it looks at their rows.
const ROUND_MOST: usize = 1000;

/// See the comment on the function in `sql/schema/051_consuming.sql`.
#[pg_extern(sql = false)]
fn dequeue(
    entrypoints: Option<Raw>,
    batch_size: Option<i32>,
    worker: Option<Uuid>,
    lease: Option<Interval>,
    max_in_flight: Option<i32>,
    call: Call,
) -> Result<(), ErrorReport> {
    let batch_size = at_least_one("batch_size", Some(batch_size.unwrap_or(1)))?.unwrap_or(1);
    let max_in_flight = at_least_one("max_in_flight", max_in_flight)?;
    let names = check::entrypoints(entrypoints)?;
    let lease = lease::checked(lease)?;
    let mut set = Set::begin(&call, "pgq.dequeue")?;
    let caller = Caller::of("pgq.dequeue", c"pgq.dequeue()", worker)?;
    installation::warn_once()?;
    let now = pg::now();
    if worker.is_some() {
        // Asking for work is a sign of life.
        lease::beat(caller.worker, now, lease)?;
    }
    let terms = Terms { caller, named: worker.is_some(), lease, max_in_flight };
    Ok(terms.dequeue(&names, batch_size as usize, now, &mut set)?)
}

fn at_least_one(name: &str, given: Option<i32>) -> Result<Option<u32>, Error> {
    match given {
        Some(number) if number < 1 => {
            let detail = format!("It is {number}.");
            Err(Error::argument(name, "be at least 1", detail, "Pass how many jobs to take."))
        }
        _ => Ok(given.map(i32::unsigned_abs)),
    }
}

/// A claim that has been published and whose row has not been looked at.
struct Published {
    key: JobKey,
    number: u64,
    picked: Time,
    candidate: Candidate,
    gate: Gate,
}

impl Terms {
    /// Claims and hands out. Where somebody has changed a setting in the meantime, begins again with the new one: going
    /// on would claim and drop one job after the other, to the end of the backlog.
    fn dequeue(&self, names: &[String], batch_size: usize, now: Time, set: &mut Set) -> Result<(), Error> {
        let mut missing = batch_size;
        for _ in 0..BEGINNINGS {
            if self.take(names, &mut missing, now, set)? == Taken::All {
                break;
            }
        }
        Ok(())
    }

    /// One beginning: takes `missing` down by what it hands out.
    fn take(&self, names: &[String], missing: &mut usize, now: Time, set: &mut Set) -> Result<Taken, Error> {
        let gates = Gates::of(&self.caller, names)?;
        let mut candidates = Candidates::of(gates.open(), now, *missing);
        let taken = self.take_of(&mut candidates, &gates, missing, now, set)?;
        candidates.finish();
        Ok(taken)
    }

    fn take_of(
        &self,
        candidates: &mut Candidates,
        gates: &Gates,
        missing: &mut usize,
        now: Time,
        set: &mut Set,
    ) -> Result<Taken, Error> {
        while *missing > 0 {
            let published = self.publish(candidates, gates, (*missing).min(ROUND_MOST), now)?;
            if published.is_empty() {
                break;
            }
            let (handed_out, settings_changed) = self.hand_out(&published, set)?;
            *missing -= handed_out;
            if settings_changed {
                return Ok(Taken::UntilSettingsChanged);
            }
            if handed_out < published.len() {
                // A dropped claim has given its place under a limit back: those set aside for it may have it.
                candidates.resume();
            }
        }
        Ok(Taken::All)
    }

    /// Publishes claims on the next candidates, up to `wanted`. Fewer means that there are no more.
    fn publish(
        &self,
        candidates: &mut Candidates,
        gates: &Gates,
        wanted: usize,
        now: Time,
    ) -> Result<Vec<Published>, Error> {
        let mut published = Vec::with_capacity(wanted);
        while published.len() < wanted {
            let Some((place, candidate)) = candidates.next()? else { break };
            let Some((source, gate)) = gates.get(place) else { break };
            let request = self.request(source, gate, &candidate, now);
            transaction::reserve(1)?;
            // The note follows at once: nothing in between can fail or be interrupted.
            let publish = |claims: &mut Claims<'_>| {
                let number = claims.publish(&request)?;
                Ok((number, claims.claim(&request.job).map_or(now, |claim| claim.since)))
            };
            match memory::change(publish) {
                Some(Ok((number, picked))) => {
                    transaction::claimed(request.job, number);
                    published.push(Published { key: request.job, number, picked, candidate, gate });
                }
                Some(Err(Refusal::Taken)) => {}
                Some(Err(Refusal::KeyBusy | Refusal::Resting)) => candidates.leave(place, &candidate),
                Some(Err(Refusal::LimitReached | Refusal::RateSpent | Refusal::RatesFull)) => {
                    candidates.set_aside(place, candidate)
                }
                Some(Err(Refusal::WorkerFull | Refusal::TableFull)) | None => {
                    candidates.set_aside(place, candidate);
                    break;
                }
            }
        }
        Ok(published)
    }

    /// Looks again at what was published, hands out what still holds, in the order of the claims, and drops the other
    /// claims. Returns how many it handed out, and whether settings are not those that the claims were made under.
    fn hand_out(&self, published: &[Published], set: &mut Set) -> Result<(usize, bool), Error> {
        match self.look(published, None, set)? {
            Looked::HandedOut(count, changed) => Ok((count, changed)),
            // Rare: only a row that was locked or changed by a transaction that is open or did not succeed.
            Looked::Touched(rows) => match self.look(published, Some(&Settled::of(&rows)?), set)? {
                Looked::HandedOut(count, changed) => Ok((count, changed)),
                Looked::Touched(_) => Err(Error::Broken("rows were looked at twice in vain".to_owned())),
            },
        }
    }

    /// One look. Where rows were touched and nobody has `settled` what that means, it hands out nothing.
    fn look(&self, published: &[Published], settled: Option<&Settled>, set: &mut Set) -> Result<Looked, Error> {
        let ids: Vec<i64> = published.iter().map(|claim| claim.key.id).collect();
        let worker = self.caller.uuid();
        statement::LOOK.run(&[ids.into(), Parameter::time(pg::now())], |rows| {
            let rows: HashMap<i64, Row> = rows.iter().filter_map(|row| Some((row.big(1)?, row))).collect();
            let touched: Vec<(i64, u32)> =
                rows.iter().map(|(id, row)| (*id, row.xid(XMAX))).filter(|(_, x)| *x != 0).collect();
            if settled.is_none() && !touched.is_empty() {
                return Ok(Looked::Touched(touched));
            }
            let free =
                |row: &Row| settled.is_none_or(|settled| settled.is_free(row.big(1).unwrap_or(0), row.xid(XMAX)));
            let (mut count, mut changed) = (0, false);
            for claim in published {
                let row = rows.get(&claim.key.id);
                changed |= row.is_some_and(|row| Gate::of(row, GATE) != claim.gate);
                match row.filter(|row| free(row) && claim.still_holds(row)) {
                    Some(row) => {
                        set.put(&handed_out(row, worker, claim.picked));
                        count += 1;
                    }
                    None => transaction::unclaim(
                        claim.key,
                        claim.number,
                        row.and_then(|row| Some((row.int(5)?, row.time(DUE)?))),
                    ),
                }
            }
            Ok(Looked::HandedOut(count, changed))
        })
    }
}

/// What one look came to.
enum Looked {
    /// How many jobs were handed out, and whether settings have changed.
    HandedOut(usize, bool),
    /// Nothing was: these rows were touched.
    Touched(Vec<(i64, u32)>),
}

/// Why one beginning ended.
#[derive(PartialEq)]
enum Taken {
    /// As many as were asked for, or all that there are.
    All,
    /// Settings are not those that it began with.
    UntilSettingsChanged,
}

/// Columns of `look.sql`.
const PICKED: i32 = 13;
const GATE: i32 = 14;
const DUE: i32 = 18;

impl Published {
    fn still_holds(&self, row: &Row) -> bool {
        row.is(CLAIMABLE)
            && row.int(5) == Some(self.candidate.priority)
            && row.time(DUE) == Some(self.candidate.due)
            && row.int(6) == Some(self.candidate.attempts)
            && row.time(7) == Some(self.candidate.created)
            && row.text(10) == self.candidate.ordering_key
            && Gate::of(row, GATE) == self.gate
    }
}

/// A row of pgq.jobs, as the caller gets it.
fn handed_out(row: &Row, worker: Uuid, picked: Time) -> [Option<Datum>; 13] {
    let [id, entrypoint, payload, headers, priority] = [1, 2, 3, 4, 5].map(|column| row.datum(column));
    let [attempts, created, execute_after, dedupe_key, ordering_key] = [6, 7, 8, 9, 10].map(|column| row.datum(column));
    let (status, worker, picked) = (row.datum(PICKED), worker.into_datum(), Some(picked.into()));
    [
        id,
        entrypoint,
        payload,
        headers,
        priority,
        status,
        attempts,
        worker,
        created,
        execute_after,
        picked,
        dedupe_key,
        ordering_key,
    ]
}
