//! The lines that go in and out, as those of every driver beside this one: JSON, a message each.
//!
//! `ready`, then after a line on standard input `first`, `n` and `starts` of a worker, or the `result` of anything else.

use crate::Outcome;
use serde_json::{Value, json};
use std::io::{Write, stdin, stdout};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::interval;

/// How often a worker tells how far it is.
const EVERY: Duration = Duration::from_millis(20);

pub fn say(message: &Value) -> Outcome {
    let mut out = stdout().lock();
    writeln!(out, "{message}")?;
    Ok(out.flush()?)
}

pub async fn wait_for_go() -> Outcome {
    say(&json!({ "e": "ready" }))?;
    tokio::task::spawn_blocking(|| stdin().read_line(&mut String::new())).await??;
    Ok(())
}

/// Seconds since 1970, as the other process of the measurement sees them.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// Some 100 bytes of JSON.
pub fn payload(sequence: u64) -> String {
    format!(r#"{{"s": {sequence}, "p": "{:x<80}"}}"#, "")
}

/// What a worker has handled.
pub struct Progress {
    handled: AtomicU64,
    /// Told at once when it is reached.
    expected: Option<u64>,
    /// Number and start of each job, where they are asked for.
    starts: Option<Mutex<Vec<(u64, f64)>>>,
}

impl Progress {
    pub fn new(expected: Option<u64>, with_starts: bool) -> Self {
        Self { handled: AtomicU64::new(0), expected, starts: with_starts.then(Mutex::default) }
    }

    pub fn wants_starts(&self) -> bool {
        self.starts.is_some()
    }

    pub fn started(&self, sequence: u64) {
        if let Some(starts) = &self.starts {
            starts.lock().unwrap_or_else(PoisonError::into_inner).push((sequence, now()));
        }
    }

    pub fn handled(&self) -> Outcome {
        let before = self.handled.fetch_add(1, Relaxed);
        if before == 0 {
            say(&json!({ "e": "first", "t": now() }))?;
        }
        if Some(before + 1) == self.expected { self.tell() } else { Ok(()) }
    }

    /// Tells, for ever.
    pub async fn keep_telling(&self) -> Outcome {
        let mut ticks = interval(EVERY);
        loop {
            ticks.tick().await;
            self.tell()?;
        }
    }

    fn tell(&self) -> Outcome {
        say(&json!({ "e": "n", "n": self.handled.load(Relaxed), "t": now() }))?;
        let starts = self.starts.as_ref().map(|starts| starts.lock().unwrap_or_else(PoisonError::into_inner));
        match starts.map(|mut starts| std::mem::take(&mut *starts)) {
            Some(rows) if !rows.is_empty() => say(&json!({ "e": "starts", "rows": rows })),
            _ => Ok(()),
        }
    }
}
