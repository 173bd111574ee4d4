//! `pgq.explain`: gathers what rows and memory tell of a job; `pgqueuer_core::explain` makes the sentence.
//!
//! Takes no lock on a row and changes nothing: what it says can be over by the time it is read.

use super::{backlog, claims};
use crate::error::Error;
use crate::pg::argument::{self, shown};
use crate::pg::spi::Row;
use crate::pg::{self, Time};
use crate::shmem::{memory, session};
use crate::{guc, statement};
use pgqueuer_core::claims::{
    Asked as LastAsked, Claim, JobKey, Name, Point, QueueKey, RateLimit, Relation, Request, Worker, WorkerKey,
    WorkerKind,
};
use pgqueuer_core::explain::{
    Ahead, Asked, By, Due, First, Here, Hold, Holder, Last, Memory, Moment, Row as Job, sentence,
};
use pgrx::datum::Interval;
use pgrx::pg_sys::panic::ErrorReport;
use pgrx::prelude::pg_extern;

/// How many of the jobs that come first are counted.
const AHEAD_MOST: i64 = 1000;

#[pg_extern(sql = false)]
fn explain(id: Option<i64>) -> Result<String, ErrorReport> {
    let hint = "Pass the id of a job.";
    Ok(why(id.ok_or_else(|| Error::argument("id", "not be NULL", None, hint))?)?)
}

fn why(id: i64) -> Result<String, Error> {
    // Before the row is read: a claim that ends meanwhile is seen with a row that is newer.
    let relation = claims::seen()?;
    let role = pg::caller().unwrap_or_default();
    let facts = statement::EXPLAIN
        .run(&[id.into(), role.into()], |rows| Ok(rows.first().map(|row| (job(id, &row), last(&row, pg::now())))))?;
    let Some((job, last)) = facts else { return Ok(sentence(id, None, None, true)) };
    let row = job.map(|job| job.row(relation)).transpose()?;
    Ok(sentence(id, row.as_ref(), last.as_ref(), false))
}

/// Columns of `explain.sql`.
const SETTINGS: i32 = 10;
const FIRST: i32 = 14;
const LOGGED: i32 = 16;

/// A live job as the statement shows it.
struct Live {
    id: i64,
    entrypoint: String,
    priority: i32,
    due: Time,
    attempts: i32,
    failures: i32,
    held: bool,
    created: Time,
    xmax: u32,
    ordering_key: Option<String>,
    limit: u32,
    rate: Option<RateLimit>,
    paused: bool,
    first: Option<(i64, Time)>,
    now: Time,
}

fn job(id: i64, row: &Row) -> Option<Live> {
    let claims = row.int(SETTINGS + 1).unwrap_or(0).unsigned_abs();
    let period = row.get::<Interval>(SETTINGS + 2).map_or(1, |period| pg::microseconds(&period).max(1));
    Some(Live {
        id,
        entrypoint: row.text(1)?,
        priority: row.int(2)?,
        due: row.time(3)?,
        attempts: row.int(4)?,
        failures: row.int(5)?,
        held: row.is(6),
        created: row.time(7)?,
        xmax: row.xid(8),
        ordering_key: row.text(9),
        limit: row.int(SETTINGS).unwrap_or(0).unsigned_abs(),
        rate: (claims > 0).then_some(RateLimit { claims, period }),
        paused: row.is(SETTINGS + 3),
        first: row.big(FIRST).zip(row.time(FIRST + 1)),
        now: pg::now(),
    })
}

fn last(row: &Row, now: Time) -> Option<Last> {
    let (outcome, attempt) = (row.text(LOGGED)?, row.int(LOGGED + 1)?);
    Some(Last { outcome, attempt, error: row.text(LOGGED + 2), at: moment(row.time(LOGGED + 3)?, now) })
}

fn moment(time: Time, now: Time) -> Moment {
    Moment { shown: shown(time), away: time.saturating_sub(now).saturating_abs() }
}

fn due(time: Time, now: Time) -> Due {
    match time {
        Time::MAX => Due::Never,
        time if time > now => Due::At(moment(time, now)),
        time => Due::Since(moment(time, now)),
    }
}

impl Live {
    fn row(self, relation: Option<Relation>) -> Result<Job, Error> {
        let memory = match relation {
            Some(relation) => Memory::Here(Box::new(self.here(relation)?)),
            None if memory::is_there() || pg::on_standby() => Memory::Elsewhere,
            None => Memory::Absent,
        };
        let behind = self.first.filter(|(id, _)| *id != self.id).map(|(id, at)| First {
            id,
            key: self.ordering_key.clone().unwrap_or_default(),
            due: due(at, self.now),
            holder: relation.and_then(|relation| self.holder(JobKey { relation, id })),
        });
        Ok(Job {
            due: due(self.due, self.now),
            entrypoint: self.entrypoint,
            attempts: self.attempts,
            failures: self.failures,
            held: self.held,
            paused: self.paused,
            behind,
            locked: self.xmax != 0 && pg::may_be_open(self.xmax),
            memory,
        })
    }

    fn here(&self, relation: Relation) -> Result<Here, Error> {
        let (now, request) = (self.now, self.request(relation));
        let queue = QueueKey { relation, name: request.queue };
        let refills = |rate: RateLimit| memory::read(|claims| claims.rate_refills(&queue, now, rate.claims)).flatten();
        let rate = self.rate.and_then(|rate| Some((rate.claims, rate.period, moment(refills(rate)?, now))));
        let rest = memory::read(|claims| claims.rest_of(&request.job, now)).flatten();
        let (used, room) = memory::read(|claims| claims.fill()).unwrap_or_default();
        Ok(Here {
            holder: self.holder(request.job),
            refusal: memory::read(|claims| claims.could_publish(&request)).and_then(Result::err),
            in_flight: (memory::read(|claims| claims.in_flight(&queue)).unwrap_or(0), self.limit),
            rate,
            rest: rest.map(|(count, until)| (count, moment(until, now))),
            room: (used as u64, room as u64),
            asked: self.asked(&queue),
            waiting: memory::read(|claims| claims.waiting_for(&queue)).unwrap_or(0),
            ahead: self.ahead(relation)?,
        })
    }

    /// A claim that nobody makes, to hear whether somebody could.
    fn request(&self, relation: Relation) -> Request {
        let key = self.ordering_key.as_ref();
        Request {
            job: JobKey { relation, id: self.id },
            worker: WorkerKey::named(relation, &[0; 16]),
            as_worker: Worker::new(self.now, 0, 0),
            attempt: self.attempts,
            created: self.created,
            priority: self.priority,
            due: self.due,
            now: self.now,
            session: 0,
            queue: Name::of(&[&self.entrypoint]),
            order: key.map_or(Name::NONE, |key| Name::of(&[&self.entrypoint, key])),
            limit: self.limit,
            rate: self.rate,
            max_in_flight: None,
        }
    }

    fn holder(&self, job: JobKey) -> Option<Holder> {
        let session = session::known_number();
        let (claim, worker) = memory::read(|claims| {
            let claim = claims.claim_seen_by(&job, session).copied()?;
            Some((claim, claims.worker(&claim.worker).copied()))
        })??;
        let by = match (claim.worker.kind, worker) {
            (_, None) => By::Gone(argument::uuid(claim.worker.uuid()).to_string()),
            (WorkerKind::Session, Some(worker)) => By::Session(worker.pid),
            (WorkerKind::Named, Some(worker)) => {
                let ends = worker.lease_ends(guc::attach_grace());
                let uuid = argument::uuid(claim.worker.uuid()).to_string();
                By::Named(uuid, moment(worker.last_seen, self.now), moment(ends, self.now))
            }
        };
        Some(Holder { worker: by, attempt: claim.attempt, since: moment(claim.since, self.now), state: state(&claim) })
    }

    fn asked(&self, queue: &QueueKey) -> Asked {
        match memory::read(|claims| claims.asked(queue)) {
            Some(LastAsked::At(at)) if at >= self.due => Asked::Since(moment(at, self.now)),
            Some(LastAsked::At(at)) => Asked::Before(moment(at, self.now)),
            Some(LastAsked::Never) => Asked::Never,
            Some(LastAsked::Unknown) | None => Asked::Unknown,
        }
    }

    fn ahead(&self, relation: Relation) -> Result<Ahead, Error> {
        if self.held || self.due > self.now {
            return Ok(Ahead::Exactly(0));
        }
        let held: Vec<i64> = claims::copy_of_claims()?.into_keys().collect();
        let place = (self.priority, Point { due: self.due, id: self.id });
        let count = backlog::ahead(relation, &self.entrypoint, place, &held, AHEAD_MOST)?;
        Ok(if count < AHEAD_MOST { Ahead::Exactly(count) } else { Ahead::AtLeast(count) })
    }
}

fn state(claim: &Claim) -> Hold {
    match claim {
        claim if claim.is_lost() => Hold::Lost,
        claim if claim.ending_by != 0 => Hold::Ending,
        claim if claim.opened_by != 0 => Hold::Open,
        _ => Hold::Stands,
    }
}
