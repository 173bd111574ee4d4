//! What is told of jobs: a line each, and how many there were.

use super::screen::{Screen, Stream};
use crate::text::harmless;
use chrono::{Local, SecondsFormat, Utc};
use pgqueuer_client::{Job, Outcome};
use serde_json::json;
use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Which lines, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// To standard error, of what went wrong.
    Trouble,
    /// To standard error, of every attempt.
    All,
    /// To standard output, of every attempt, for programs.
    Json,
}

/// Tells, and counts.
pub struct Report {
    lines: Lines,
    screen: Arc<Screen>,
    counts: Mutex<Counts>,
    running: AtomicU64,
}

#[derive(Debug, Default)]
struct Counts {
    done: i64,
    /// Attempts that failed.
    failed: i64,
    /// Jobs of which the last attempt failed; none where nobody asks, for they could be very many.
    in_failure: Option<HashSet<i64>>,
}

impl Counts {
    fn fails(&mut self, id: i64, fails: bool) {
        if let Some(in_failure) = &mut self.in_failure {
            _ = if fails { in_failure.insert(id) } else { in_failure.remove(&id) };
        }
    }
}

/// An attempt that is over.
pub struct Ended<'a> {
    pub job: &'a Job,
    /// Without the prefix.
    pub entrypoint: &'a str,
    pub outcome: &'a Outcome,
    pub canceled: bool,
    pub ran: Duration,
}

impl Report {
    /// `is_summed_up`: at the end one wants to know whether a job has failed.
    pub fn new(lines: Lines, screen: Arc<Screen>, is_summed_up: bool) -> Self {
        let counts = Counts { in_failure: is_summed_up.then(HashSet::new), ..Counts::default() };
        Self { lines, screen, counts: Mutex::new(counts), running: AtomicU64::new(0) }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An attempt begins.
    pub fn begun(&self) {
        self.running.fetch_add(1, Relaxed);
    }

    /// How many attempts are under way.
    pub fn running(&self) -> u64 {
        self.running.load(Relaxed)
    }

    /// Where nobody reads, this waits, and holds up no more than the next job; until `enough`.
    pub async fn ended(&self, ended: Ended<'_>, enough: &CancellationToken) {
        let (word, error) = words(&ended);
        self.running.fetch_sub(1, Relaxed);
        self.count(&ended);
        let is_trouble = matches!(word, "fail" | "hold");
        let (stream, line) = match self.lines {
            Lines::Json => (Stream::Out, json_line(&ended, word, error.as_deref())),
            Lines::Trouble if !is_trouble => return,
            _ => (Stream::Err, line(&ended, word, error.as_deref())),
        };
        tokio::select! {
            () = self.screen.write(stream, format!("{line}\n").into_bytes()) => {}
            () = enough.cancelled() => {}
        }
    }

    fn count(&self, ended: &Ended) {
        let mut counts = self.counts();
        match ended.outcome {
            _ if ended.canceled => counts.fails(ended.job.id, false),
            Outcome::Done => {
                counts.done += 1;
                counts.fails(ended.job.id, false);
            }
            Outcome::Fail(_) | Outcome::Hold(_) => {
                counts.failed += 1;
                counts.fails(ended.job.id, true);
            }
            Outcome::Retry(..) | Outcome::Release => {}
        }
        let (done, failed) = (counts.done, counts.failed);
        self.screen.bar(move |bar| {
            bar.set_position(u64::try_from(done).unwrap_or(0));
            bar.set_message(format!("{done} done, {failed} failed"));
        });
    }

    /// Whether there are jobs of which the last attempt failed.
    pub fn has_failed(&self) -> bool {
        self.counts().in_failure.as_ref().is_some_and(|jobs| !jobs.is_empty())
    }

    /// In a sentence.
    pub fn sum(&self) -> String {
        let counts = self.counts();
        let failed = counts.in_failure.as_ref().map_or(0, HashSet::len);
        format!("{} done, {} failed", crate::output::count(counts.done, "job"), failed)
    }
}

/// What became of the job, and why.
fn words(ended: &Ended) -> (&'static str, Option<String>) {
    match ended.outcome {
        _ if ended.canceled => ("canceled", None),
        Outcome::Done => ("done", None),
        Outcome::Retry(delay, reason) => {
            let after = format!("again in {} s", delay.as_secs_f64());
            ("retry", Some(reason.as_ref().map_or_else(|| after.clone(), |reason| format!("{after}: {reason}"))))
        }
        Outcome::Fail(failure) => ("fail", Some(failure.to_string())),
        Outcome::Hold(failure) => ("hold", Some(failure.to_string())),
        Outcome::Release => ("release", None),
    }
}

fn line(ended: &Ended, word: &str, error: Option<&str>) -> String {
    let word = match word {
        "fail" => "failed",
        "hold" => "given up",
        "retry" => "put off",
        "release" => "given back",
        other => other,
    };
    let time = Local::now().format("%H:%M:%S");
    let (job, ran) = (ended.job, crate::output::length(ended.ran.as_secs_f64()));
    let error = error.map_or_else(String::new, |error| format!(": {error}"));
    let attempt = job.attempts.saturating_add(1);
    let line = format!("{} {}, attempt {attempt}: {word} after {ran}{error}", ended.entrypoint, job.id);
    format!("{time}  {}", harmless(&line))
}

fn json_line(ended: &Ended, word: &str, error: Option<&str>) -> String {
    let value = json!({
        "at": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
        "id": ended.job.id,
        "entrypoint": ended.entrypoint,
        "attempt": ended.job.attempts.saturating_add(1),
        "outcome": word,
        "run_seconds": ended.ran.as_secs_f64(),
        "error": error,
    });
    crate::output::ascii(&value.to_string())
}
