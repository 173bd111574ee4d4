//! What happened to jobs, as those saw it who enqueued, claimed and ended them; and [whether it can be
//! true](check::faults).
//!
//! Nobody outside the server knows when a claim begins and ends. What is certain: it began before `dequeue` answered, and
//! it lasted at least until the call that ended it was sent. Everything is judged by what is certain, so a fault is never
//! a false alarm.

pub mod check;
#[cfg(test)]
mod faults;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

/// Time since the history began, by a clock that only goes forward.
pub type Moment = Duration;

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It took effect: the answer said so, and the transaction was committed.
    Yes,
    /// It took none: it was refused, or rolled back.
    No,
    /// The answer never came.
    Unknown,
}

/// How an attempt or a job ended, as the log says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the words of the contract")]
pub enum Outcome {
    Successful,
    Exception,
    Failed,
    Canceled,
    Deleted,
    Retried,
    Released,
}

impl FromStr for Outcome {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        Ok(match word {
            "successful" => Self::Successful,
            "exception" => Self::Exception,
            "failed" => Self::Failed,
            "canceled" => Self::Canceled,
            "deleted" => Self::Deleted,
            "retried" => Self::Retried,
            "released" => Self::Released,
            _ => return Err(format!("{word} is no outcome")),
        })
    }
}

/// A job that somebody enqueued.
#[derive(Debug, Clone)]
pub struct Enqueue {
    /// Its id, as the call returned it.
    pub job: i64,
    /// The kind of work.
    pub entrypoint: &'static str,
    /// Its ordering key.
    pub key: Option<String>,
    /// When the answer to the commit came.
    pub answered: Moment,
    /// Whether it was committed.
    pub fate: Fate,
}

/// Whether a worker lost a claim because it went away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// It did not.
    No,
    /// It may have.
    Perhaps,
    /// It did: the attempt counts.
    Surely,
}

/// A job that was handed out.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The job.
    pub job: i64,
    /// Which attempt the row told.
    pub attempt: i32,
    /// Whose claim it is.
    pub worker: u128,
    /// The lease of a named worker.
    pub lease: Option<Duration>,
    /// When dequeue was called.
    pub sent: Moment,
    /// When it answered: from here on the claim is certain.
    pub answered: Moment,
    /// When the claim may be over at the earliest.
    pub until: Moment,
    /// Whether the worker went away with it.
    pub loss: Loss,
    /// Whether it was rolled back, and so never made.
    pub undone: bool,
}

/// A call that ends a claim.
#[derive(Debug, Clone)]
pub struct End {
    /// The job.
    pub job: i64,
    /// The attempt that it names.
    pub attempt: i32,
    /// Who calls.
    pub worker: u128,
    /// What the log may say then; nothing for a release, which is not logged.
    pub outcomes: Vec<Outcome>,
    /// When the call was sent, or the commit after it.
    pub sent: Moment,
    /// When its answer came.
    pub answered: Moment,
    /// What became of it.
    pub fate: Fate,
}

/// An operator's cancel or delete.
#[derive(Debug, Clone)]
pub struct Cancel {
    /// The job.
    pub job: i64,
    /// What the log says then.
    pub outcome: Outcome,
    /// When it was sent.
    pub sent: Moment,
    /// When its answer came.
    pub answered: Moment,
    /// What became of it.
    pub fate: Fate,
}

/// A row of `pgq.job_log`.
#[derive(Debug, Clone)]
pub struct Row {
    /// The job.
    pub job: i64,
    /// How many attempts there were before this one.
    pub attempt: i32,
    /// Who held it.
    pub worker: Option<u128>,
    /// How it ended.
    pub outcome: Outcome,
    /// From the claim to the end, by the server's clock.
    pub ran: Option<Duration>,
}

/// What is promised of an entrypoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limits {
    /// Claims at one time; 0 for any number.
    pub concurrency: usize,
    /// Claims in any stretch of `period`; 0 for any number.
    pub rate: usize,
    /// See `rate`.
    pub period: Duration,
}

/// Everything that was seen.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// What producers enqueued.
    pub enqueues: Vec<Enqueue>,
    /// What workers were handed out.
    pub claims: Vec<Claim>,
    /// What they ended.
    pub ends: Vec<End>,
    /// What an operator canceled or deleted.
    pub cancels: Vec<Cancel>,
    /// Calls of dequeue that never got their answer: what they claimed, nobody knows. Whose they were, where that is
    /// known: a session hears its worker's name with its first claim.
    pub unanswered: Vec<Option<u128>>,
    /// The log, when all was over.
    pub log: Vec<Row>,
    /// The live jobs then, and whether they were held as failed.
    pub left: Vec<(i64, bool)>,
    /// The limits of entrypoints.
    pub limits: BTreeMap<&'static str, Limits>,
}

impl History {
    /// Takes over what somebody else saw.
    pub fn add(&mut self, other: Self) {
        self.enqueues.extend(other.enqueues);
        self.claims.extend(other.claims);
        self.ends.extend(other.ends);
        self.cancels.extend(other.cancels);
        self.unanswered.extend(other.unanswered);
    }
}
