//! Whether a history can be true. A pure function: it looks at nothing but the history.

use super::{Claim, Enqueue, Fate, History, Limits, Loss, Moment, Outcome, Row};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

/// The rule that a history breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rule {
    /// A job that was never enqueued, or whose enqueue was rolled back, is there.
    FromNowhere,
    /// A committed job has not ended.
    NotEnded,
    /// A job has ended twice.
    EndedTwice,
    /// The attempts of a job are not 0, 1, 2, …
    Attempts,
    /// The log tells an end that nobody asked for.
    Unasked,
    /// The log lacks an end that was answered with yes.
    Unlogged,
    /// A worker went away with a claim and the attempt was not counted.
    Uncounted,
    /// Two workers held one job at one time.
    Overlap,
    /// A job was handed out after its end.
    AfterEnd,
    /// A worker was refused what it held.
    Refused,
    /// More claims at one time than the limit.
    Concurrency,
    /// Two jobs of one ordering key were held at one time.
    KeyTwice,
    /// A job was handed out before an earlier one of its ordering key had ended.
    KeyOrder,
    /// More claims in a period than the rate.
    Rate,
}

/// A rule that was broken, and how.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// What happened.
    pub what: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.what)
    }
}

/// Every rule that a history breaks.
pub fn faults(history: &History) -> Vec<Fault> {
    let seen = Seen::of(history);
    let mut faults = vec![];
    seen.jobs_end_once(&mut faults);
    seen.the_log_is_asked_for(&mut faults);
    seen.answers_are_logged(&mut faults);
    seen.losses_are_counted(&mut faults);
    seen.claims_of_a_job_are_apart(&mut faults);
    seen.nothing_comes_after_its_end(&mut faults);
    seen.nobody_is_refused_what_it_holds(&mut faults);
    seen.limits_hold(&mut faults);
    seen.keys_are_in_order(&mut faults);
    faults
}

/// A history, sorted by job.
struct Seen<'a> {
    history: &'a History,
    enqueues: HashMap<i64, &'a Enqueue>,
    /// With `until` as the cancels allow it.
    claims: BTreeMap<i64, Vec<Claim>>,
    rows: BTreeMap<i64, Vec<&'a Row>>,
    left: BTreeMap<i64, bool>,
}

impl<'a> Seen<'a> {
    fn of(history: &'a History) -> Self {
        let mut claims: BTreeMap<i64, Vec<Claim>> = BTreeMap::new();
        for claim in &history.claims {
            claims.entry(claim.job).or_default().push(claim.clone());
        }
        // What is deleted is held by nobody.
        let cancels = history.cancels.iter().filter(|cancel| cancel.outcome == Outcome::Canceled);
        for cancel in cancels.filter(|cancel| cancel.fate != Fate::No) {
            let of_job = claims.get_mut(&cancel.job).into_iter().flatten();
            for claim in of_job.filter(|claim| cancel.answered >= claim.sent) {
                claim.until = claim.until.min(cancel.sent.max(claim.answered));
            }
        }
        claims.values_mut().for_each(|claims| claims.sort_by_key(|claim| claim.answered));
        let mut rows: BTreeMap<i64, Vec<&Row>> = BTreeMap::new();
        for row in &history.log {
            rows.entry(row.job).or_default().push(row);
        }
        // A held job that is canceled has a row for each, in this order.
        rows.values_mut().for_each(|rows| rows.sort_by_key(|row| (row.attempt, row.outcome != Outcome::Failed)));
        let enqueues = history.enqueues.iter().map(|enqueue| (enqueue.job, enqueue)).collect();
        Self { history, enqueues, claims, rows, left: history.left.iter().copied().collect() }
    }

    fn rows_of(&self, job: i64) -> &[&Row] {
        self.rows.get(&job).map_or(&[], Vec::as_slice)
    }

    fn row_of(&self, job: i64, attempt: i32) -> Option<&Row> {
        self.rows_of(job).iter().find(|row| row.attempt == attempt).copied()
    }

    fn jobs_end_once(&self, faults: &mut Vec<Fault>) {
        let there: BTreeSet<i64> = self.rows.keys().chain(self.left.keys()).copied().collect();
        for job in &there {
            if self.enqueues.get(job).is_none_or(|enqueue| enqueue.fate == Fate::No) {
                faults.push(Rule::FromNowhere.broken(format!("job {job} is there")));
            }
        }
        let committed = self.history.enqueues.iter().filter(|enqueue| match enqueue.fate {
            Fate::Yes => true,
            Fate::No => false,
            Fate::Unknown => there.contains(&enqueue.job),
        });
        committed.for_each(|enqueue| self.job_ends_once(enqueue.job, faults));
    }

    fn job_ends_once(&self, job: i64, faults: &mut Vec<Fault>) {
        let rows = self.rows_of(job);
        if rows.iter().enumerate().any(|(place, row)| row.attempt != place as i32) {
            faults.push(Rule::Attempts.broken(format!("job {job}: {rows:?}")));
        }
        let count = |what: fn(Outcome) -> bool| rows.iter().filter(|row| what(row.outcome)).count();
        let gone = count(|outcome| !matches!(outcome, Outcome::Failed | Outcome::Retried | Outcome::Released));
        let failed = count(|outcome| outcome == Outcome::Failed);
        match (self.left.get(&job), gone, failed) {
            (None, 1, 0) | (Some(true), 0, 1) => {}
            // It failed, was held, and was canceled then.
            (None, 1, 1) if rows.last().is_some_and(|row| row.outcome != Outcome::Failed) => {}
            (None, 0, _) | (Some(false), 0, _) | (Some(true), 0, 0) => {
                faults.push(Rule::NotEnded.broken(format!("job {job} is {:?}: {rows:?}", self.left.get(&job))));
            }
            _ => faults.push(Rule::EndedTwice.broken(format!("job {job} is {:?}: {rows:?}", self.left.get(&job)))),
        }
        let last = rows.iter().rposition(|row| matches!(row.outcome, Outcome::Retried | Outcome::Released));
        let first = rows.iter().position(|row| !matches!(row.outcome, Outcome::Retried | Outcome::Released));
        if last > first && first.is_some() {
            faults.push(Rule::EndedTwice.broken(format!("job {job} goes on after its end: {rows:?}")));
        }
    }

    fn the_log_is_asked_for(&self, faults: &mut Vec<Fault>) {
        let mut asked: BTreeSet<(i64, i32, u128, Outcome)> = BTreeSet::new();
        for end in self.history.ends.iter().filter(|end| end.fate != Fate::No) {
            asked.extend(end.outcomes.iter().map(|outcome| (end.job, end.attempt, end.worker, *outcome)));
        }
        let canceled = self.history.cancels.iter().filter(|cancel| cancel.fate != Fate::No);
        let canceled: BTreeSet<(i64, Outcome)> = canceled.map(|cancel| (cancel.job, cancel.outcome)).collect();
        let unanswered: BTreeSet<u128> = self.history.unanswered.iter().copied().flatten().collect();
        let nameless = self.history.unanswered.iter().filter(|worker| worker.is_none()).count();
        let known: BTreeSet<u128> = self.history.claims.iter().map(|claim| claim.worker).collect();
        let mut unknown: BTreeSet<u128> = BTreeSet::new();
        for row in &self.history.log {
            let by_worker = row.worker.is_some_and(|w| asked.contains(&(row.job, row.attempt, w, row.outcome)));
            let asked_for = match row.outcome {
                Outcome::Successful | Outcome::Retried => by_worker,
                // A job whose workers went away too often counts as failed.
                Outcome::Exception | Outcome::Failed => by_worker || self.may_be_lost(row),
                Outcome::Released => self.may_be_lost(row),
                Outcome::Canceled | Outcome::Deleted => canceled.contains(&(row.job, row.outcome)),
            };
            if asked_for {
                continue;
            }
            let may_be_unknown = matches!(row.outcome, Outcome::Released | Outcome::Exception | Outcome::Failed);
            match row.worker.filter(|_| may_be_unknown) {
                Some(worker) if unanswered.contains(&worker) => {}
                Some(worker) if !known.contains(&worker) => _ = unknown.insert(worker),
                _ => faults.push(Rule::Unasked.broken(format!("{row:?}; claims {:?}", self.claims.get(&row.job)))),
            }
        }
        if unknown.len() > nameless {
            faults.push(Rule::Unasked.broken(format!("claims that nobody made were lost by {unknown:x?}")));
        }
    }

    fn cancels(&self) -> impl Iterator<Item = (i64, Moment)> + '_ {
        let canceled = self.history.cancels.iter().filter(|cancel| cancel.fate != Fate::No);
        canceled.map(|cancel| (cancel.job, cancel.sent))
    }

    /// Whether the worker may have gone away with the claim that a row of the log is about, or been silent for a lease.
    fn may_be_lost(&self, row: &Row) -> bool {
        self.claims_of(row).any(|claim| {
            let over = claim.lease.is_some_and(|lease| row.ran.is_some_and(|ran| ran >= lease));
            claim.loss != Loss::No || over
        })
    }

    /// The claims that a row of the log may be about.
    fn claims_of(&self, row: &'a Row) -> impl Iterator<Item = &Claim> {
        let of_job = self.claims.get(&row.job).into_iter().flatten();
        of_job.filter(|claim| claim.attempt == row.attempt && Some(claim.worker) == row.worker)
    }

    fn answers_are_logged(&self, faults: &mut Vec<Fault>) {
        for end in self.history.ends.iter().filter(|end| end.fate == Fate::Yes && !end.outcomes.is_empty()) {
            let row = self.row_of(end.job, end.attempt);
            if row.is_none_or(|row| row.worker != Some(end.worker) || !end.outcomes.contains(&row.outcome)) {
                faults.push(Rule::Unlogged.broken(format!("{end:?}, the log says {row:?}")));
            }
        }
        for cancel in self.history.cancels.iter().filter(|cancel| cancel.fate == Fate::Yes) {
            if self.rows_of(cancel.job).iter().all(|row| row.outcome != cancel.outcome) {
                faults.push(Rule::Unlogged.broken(format!("{cancel:?}")));
            }
        }
    }

    fn losses_are_counted(&self, faults: &mut Vec<Fault>) {
        for claim in self.claims.values().flatten().filter(|claim| claim.loss == Loss::Surely) {
            let counted = self.row_of(claim.job, claim.attempt).is_some_and(|row| match row.outcome {
                Outcome::Canceled => true,
                Outcome::Released | Outcome::Failed | Outcome::Exception => row.worker == Some(claim.worker),
                _ => false,
            });
            if !counted {
                let rows = self.rows_of(claim.job);
                faults.push(Rule::Uncounted.broken(format!("{claim:?}, the log says {rows:?}")));
            }
        }
    }

    fn claims_of_a_job_are_apart(&self, faults: &mut Vec<Fault>) {
        for claims in self.claims.values() {
            overlaps(claims.iter(), |one, other| {
                faults.push(Rule::Overlap.broken(format!("{one:?} and {other:?}")));
            });
        }
    }

    fn nothing_comes_after_its_end(&self, faults: &mut Vec<Fault>) {
        let ends = self.history.ends.iter().filter(|end| end.fate == Fate::Yes && !end.outcomes.is_empty());
        let ends = ends.map(|end| (end.job, end.attempt, end.answered));
        let cancels = self.history.cancels.iter().filter(|cancel| cancel.fate == Fate::Yes);
        for (job, attempt, at) in ends.chain(cancels.map(|cancel| (cancel.job, i32::MAX, cancel.answered))) {
            for claim in self.claims.get(&job).into_iter().flatten() {
                if claim.attempt <= attempt && claim.sent > at {
                    faults.push(Rule::AfterEnd.broken(format!("{claim:?} after the end at {at:?}")));
                }
            }
        }
    }

    fn nobody_is_refused_what_it_holds(&self, faults: &mut Vec<Fault>) {
        for end in self.history.ends.iter().filter(|end| end.fate == Fate::No) {
            let mine = self.claims.get(&end.job).into_iter().flatten();
            let mut mine = mine.filter(|claim| claim.attempt == end.attempt && claim.worker == end.worker);
            if let Some(claim) = mine.find(|claim| claim.answered <= end.sent && claim.until > end.answered) {
                faults.push(Rule::Refused.broken(format!("{end:?} of {claim:?}")));
            }
        }
    }

    /// The claims of each entrypoint.
    fn by_entrypoint(&self) -> BTreeMap<&'static str, Vec<&Claim>> {
        let mut by_entrypoint: BTreeMap<&str, Vec<&Claim>> = BTreeMap::new();
        for claim in self.claims.values().flatten() {
            if let Some(enqueue) = self.enqueues.get(&claim.job) {
                by_entrypoint.entry(enqueue.entrypoint).or_default().push(claim);
            }
        }
        by_entrypoint
    }

    fn limits_hold(&self, faults: &mut Vec<Fault>) {
        for (entrypoint, mut claims) in self.by_entrypoint() {
            let limits = self.history.limits.get(entrypoint).copied().unwrap_or_default();
            let most = most_at_once(&claims);
            if limits.concurrency > 0 && most > limits.concurrency {
                faults.push(Rule::Concurrency.broken(format!("{entrypoint}: {most} claims at one time")));
            }
            // What was rolled back was never claimed; nor, perhaps, what was cut off in the middle.
            claims.retain(|claim| !claim.undone && claim.loss == Loss::No);
            rate_holds(entrypoint, &mut claims, limits, faults);
        }
    }

    fn keys_are_in_order(&self, faults: &mut Vec<Fault>) {
        let mut keys: BTreeMap<(&str, &str), Vec<&Enqueue>> = BTreeMap::new();
        for enqueue in self.history.enqueues.iter().filter(|enqueue| enqueue.fate == Fate::Yes) {
            if let Some(key) = &enqueue.key {
                keys.entry((enqueue.entrypoint, key)).or_default().push(enqueue);
            }
        }
        let over = self.earliest_ends();
        for jobs in keys.values_mut() {
            jobs.sort_by_key(|enqueue| enqueue.job);
            let of = |job: &Enqueue| self.claims.get(&job.job).into_iter().flatten();
            let mut claims: Vec<&Claim> = jobs.iter().flat_map(|job| of(job)).collect();
            claims.sort_by_key(|claim| claim.answered);
            overlaps(claims.into_iter(), |one, other| {
                if one.job != other.job {
                    faults.push(Rule::KeyTwice.broken(format!("{one:?} and {other:?}")));
                }
            });
            for (place, later) in jobs.iter().enumerate() {
                for claim in of(later) {
                    let earlier = jobs.iter().take(place).filter(|job| job.answered < claim.sent);
                    let mut live = earlier.filter(|job| over.get(&job.job).is_none_or(|end| *end > claim.answered));
                    if let Some(first) = live.next() {
                        faults.push(Rule::KeyOrder.broken(format!("{claim:?} before {first:?}")));
                    }
                }
            }
        }
    }

    /// From when on each job may have been ended for good. One that no call ended is left out of the judgement.
    fn earliest_ends(&self) -> HashMap<i64, Moment> {
        let lasting = |outcome: &Outcome| !matches!(outcome, Outcome::Retried | Outcome::Released);
        let ends = self.history.ends.iter().filter(|end| end.fate != Fate::No && end.outcomes.iter().any(lasting));
        let mut over: HashMap<i64, Moment> = HashMap::new();
        for (job, at) in ends.map(|end| (end.job, end.sent)).chain(self.cancels()) {
            over.entry(job).and_modify(|first| *first = at.min(*first)).or_insert(at);
        }
        for row in self.history.log.iter().filter(|row| lasting(&row.outcome)) {
            over.entry(row.job).or_insert(Moment::ZERO);
        }
        over
    }
}

impl Rule {
    fn broken(self, what: String) -> Fault {
        Fault { rule: self, what }
    }
}

/// Tells each certain overlap of claims that are sorted by their beginning.
fn overlaps<'a>(claims: impl Iterator<Item = &'a Claim>, mut tell: impl FnMut(&Claim, &Claim)) {
    let mut longest: Option<&Claim> = None;
    for claim in claims.filter(|claim| claim.until > claim.answered) {
        if let Some(before) = longest.filter(|before| before.until > claim.answered) {
            tell(before, claim);
        }
        if longest.is_none_or(|before| before.until < claim.until) {
            longest = Some(claim);
        }
    }
}

/// How many claims there certainly were at one time.
fn most_at_once(claims: &[&Claim]) -> usize {
    let certain = claims.iter().filter(|claim| claim.until > claim.answered);
    // What ends at a moment is over before what begins then.
    let mut steps: Vec<(Moment, i64)> = certain.flat_map(|claim| [(claim.answered, 1), (claim.until, -1)]).collect();
    steps.sort_unstable();
    let mut now = 0;
    steps
        .iter()
        .map(|(_, step)| {
            now += step;
            now
        })
        .max()
        .unwrap_or(0) as usize
}

/// Tells each stretch with more claims than the rate allows, all of which certainly lie within it.
fn rate_holds(entrypoint: &str, claims: &mut [&Claim], limits: Limits, faults: &mut Vec<Fault>) {
    if limits.rate == 0 {
        return;
    }
    claims.sort_by_key(|claim| claim.answered);
    // Where each window's calls were answered in order, the earliest sending of them decides.
    for window in claims.windows(limits.rate + 1) {
        let first = window.iter().map(|claim| claim.sent).min().unwrap_or_default();
        let last = window.last().map(|claim| claim.answered).unwrap_or_default();
        if last.saturating_sub(first) < limits.period {
            let what = format!("{entrypoint}: {} claims from {first:?} to {last:?}", window.len());
            faults.push(Rule::Rate.broken(what));
        }
    }
}
