//! Ends the programs of a worker that was killed itself: no orphan is left, whatever happens to `pgq`.
//!
//! A second process of this binary, which sleeps. It is told of each group of processes when that begins and when it is over,
//! through a pipe that only the worker holds: the kernel closes it when the worker dies, of SIGKILL too, and what is left
//! then is killed. (PR_SET_PDEATHSIG would reach the first process of a group alone, hangs on the thread that has started
//! it, and cannot be asked for in safe code between fork and exec.) Between the start of a group and the line that tells of
//! it lie microseconds, in which a worker that is killed leaves it behind.

use super::group;
use crate::error::{Error, Result};
use rustix::process::Pid;
use std::collections::BTreeSet;
use std::io::{BufRead, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// What it is called in a list of processes, and how it knows itself.
const NAME: &str = "pgq-keeper";

/// How long to wait for its end: it has nothing to do any more.
const PATIENCE: Duration = Duration::from_millis(500);

/// The worker's end of the pipe.
pub struct Keeper {
    /// None: closed.
    pipe: Mutex<Option<ChildStdin>>,
    process: Child,
}

impl Keeper {
    /// # Errors
    /// [`Error::System`] where there cannot be another process.
    pub fn start() -> Result<Self> {
        let failed = |source| Error::System { what: "cannot start pgq-keeper".to_owned(), source };
        let mut keeper = Command::new(std::env::current_exe().map_err(failed)?);
        // A group of its own: Ctrl-C at a terminal is for the worker.
        keeper.arg0(NAME).process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut process = keeper.spawn().map_err(failed)?;
        Ok(Self { pipe: Mutex::new(process.stdin.take()), process })
    }

    /// A group has begun.
    pub fn hold(&self, group: Pid) {
        self.tell('+', group);
    }

    /// It is over.
    pub fn let_go(&self, group: Pid) {
        self.tell('-', group);
    }

    fn tell(&self, sign: char, group: Pid) {
        let line = format!("{sign}{}\n", group.as_raw_nonzero());
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if pipe.as_mut().is_some_and(|pipe| pipe.write_all(line.as_bytes()).is_err()) {
            *pipe = None;
            tracing::warn!("pgq-keeper is gone: programs would outlive a worker that is killed");
        }
    }
}

impl Drop for Keeper {
    /// Nobody else may be there to wait for its end.
    fn drop(&mut self) {
        self.pipe.lock().unwrap_or_else(PoisonError::into_inner).take();
        let begun = Instant::now();
        while matches!(self.process.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Whether this process is to be the keeper of another.
pub fn is_asked_for() -> bool {
    std::env::args_os().next().is_some_and(|name| name == NAME)
}

/// Keeps until the worker is gone.
pub fn keep() -> ExitCode {
    // Whoever ends a service may tell all of its processes. This one ends with the worker.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let _deaf = runtime.as_ref().ok().map(|runtime| {
        let _entered = runtime.enter();
        [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal)
    });
    let mut groups = BTreeSet::new();
    for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
        match line.split_at_checked(1).and_then(|(sign, group)| Some((sign, group.parse::<i32>().ok()?))) {
            Some(("+", group)) => _ = groups.insert(group),
            Some(("-", group)) => _ = groups.remove(&group),
            _ => {}
        }
    }
    groups.into_iter().filter_map(Pid::from_raw).for_each(group::kill);
    ExitCode::SUCCESS
}
