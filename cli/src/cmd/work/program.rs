//! Runs a program for each job.
//!
//! ```text
//! payload ─▶ standard input      standard output ─▶ ours, or nowhere
//! the rest ─▶ variables          standard error  ─▶ ours, or nowhere; its end becomes the error
//!                                the end itself  ─▶ what becomes of the job
//! ```

use super::ending::Ending;
use super::executable;
use super::group::Group;
use super::keeper::Keeper;
use super::screen::{PIECE, Screen, Stream};
use super::tail::Tail;
use super::task::{Cut, Limits, Told};
use super::{environment, verdict};
use crate::error::Result;
use pgqueuer_client::Outcome;
use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{ChildStdin, Command};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How much to read on when the program and all of its group have ended, and how long to wait for it: what left the group may
/// hold the pipe. More than the kernel keeps in a pipe.
const LAST_OUTPUT: (usize, Duration) = (1 << 20, Duration::from_secs(1));
/// How long to wait before a program is started again that could not be for want of memory, processes or files.
const CROWDED: Duration = Duration::from_millis(500);
/// From so many bytes on it is the variables of a job that are too long, and not those of everybody.
const LONG: usize = 8 * 1024;
/// A service that is stopped may have its programs told before the worker.
const TOLD_FIRST: Duration = Duration::from_millis(200);

/// Where what a program writes goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Each stream to ours.
    Both,
    /// Both to standard error: standard output belongs to JSON.
    Aside,
    Nothing,
}

/// The program and how to run it.
pub struct Program {
    file: PathBuf,
    arguments: Vec<OsString>,
    /// Variables that it must not inherit.
    foreign: Vec<OsString>,
    keeper: Arc<Keeper>,
    screen: Arc<Screen>,
    shown: Shown,
    retry_delay: Duration,
    /// It was said that the machine has no room for more.
    is_crowded: AtomicBool,
}

impl Program {
    /// # Errors
    /// There is no such program, or it cannot be run.
    pub fn new(command: Vec<OsString>, screen: Arc<Screen>, shown: Shown, retry_delay: Duration) -> Result<Self> {
        let mut arguments = command;
        let name = if arguments.is_empty() { OsString::new() } else { arguments.remove(0) };
        let file = executable::find(&name)?;
        let (foreign, keeper) = (environment::foreign(), Arc::new(Keeper::start()?));
        Ok(Self { file, arguments, foreign, keeper, screen, shown, retry_delay, is_crowded: AtomicBool::new(false) })
    }

    /// One attempt.
    pub async fn run(&self, told: &Told<'_>, payload: Vec<u8>, limits: &Limits<'_>) -> Outcome {
        let variables = match environment::of(told.job, told.entrypoint, told.worker, limits.timeout) {
            Ok(variables) => variables,
            Err(why) => return Outcome::hold(why),
        };
        let mut group = match self.start(&variables, limits).await {
            Ok(group) => group,
            Err(outcome) => return outcome,
        };
        let tail = Mutex::new(Tail::default());
        let (stdin, stdout, stderr) =
            (group.leader.stdin.take(), group.leader.stdout.take(), group.leader.stderr.take());
        let life = async {
            let ended = tokio::select! {
                ended = group.ended() => Ok(ended),
                // Never over before the program is, which may not want its payload.
                never = feed(stdin, payload) => match never {},
                cut = limits.cut() => Err(cut),
            };
            match ended {
                Ok(status) => {
                    group.end_rest(limits.ending.patience()).await;
                    (status.ok(), None)
                }
                Err(cut) => (group.end(limits.ending.patience()).await, Some(cut)),
            }
        };
        let over = CancellationToken::new();
        let reading = async {
            tokio::join!(
                self.pass_on(stdout, Stream::Out, None, &over),
                self.pass_on(stderr, Stream::Err, Some(&tail), &over)
            )
        };
        let (mut life, mut reading) = (std::pin::pin!(life), std::pin::pin!(reading));
        let mut is_read = false;
        let (status, cut) = loop {
            tokio::select! {
                end = &mut life => break end,
                _ = &mut reading, if !is_read => is_read = true,
            }
        };
        over.cancel();
        // Who reads slowly gets all of it, as long as the job has time.
        let patience = async {
            match cut {
                None => _ = limits.cut().await,
                Some(_) => sleep(LAST_OUTPUT.1).await,
            }
        };
        tokio::select! {
            _ = &mut reading, if !is_read => {}
            () = patience, if !is_read => {}
            else => {}
        }
        let said = tail.lock().unwrap_or_else(PoisonError::into_inner).text();
        self.outcome(status, cut, &said, limits).await
    }

    async fn outcome(
        &self,
        status: Option<std::process::ExitStatus>,
        cut: Option<Cut>,
        said: &str,
        limits: &Limits<'_>,
    ) -> Outcome {
        match (cut, status) {
            (Some(Cut::TimedOut(after)), _) => {
                Outcome::Fail(verdict::failure(&format!("timed out after {} s", after.as_secs_f64()), said))
            }
            // It was in time after all.
            (Some(Cut::Shutdown), Some(status)) if status.success() => Outcome::Done,
            (Some(_), _) => Outcome::Release,
            (None, Some(status)) if verdict::was_told_to_end(status) && limits.stops_within(TOLD_FIRST).await => {
                Outcome::Release
            }
            (None, Some(status)) => verdict::of(status, said, self.retry_delay),
            (None, None) => Outcome::fail("the end of the program could not be waited for"),
        }
    }

    /// Starts it, as soon as the machine has room for it.
    async fn start(&self, variables: &[(String, String)], limits: &Limits<'_>) -> Result<Group, Outcome> {
        loop {
            let error = match Group::start(&mut self.command(variables), self.keeper.clone()) {
                Ok(group) => return Ok(group),
                Err(error) => error,
            };
            if !is_passing(&error) {
                return Err(self.not_started(&error, variables, limits.ending));
            }
            if !self.is_crowded.swap(true, Relaxed) {
                tracing::warn!(%error, "there is no room for more programs for now: jobs wait for it");
            }
            tokio::select! {
                () = sleep(CROWDED) => {}
                _ = limits.cut() => return Err(Outcome::Release),
            }
        }
    }

    /// That is no fault of the job, unless it has made the variables too long.
    fn not_started(&self, error: &std::io::Error, variables: &[(String, String)], ending: &Ending) -> Outcome {
        let length: usize = variables.iter().map(|(name, value)| name.len() + value.len()).sum();
        if error.kind() == ErrorKind::ArgumentListTooLong && length > LONG {
            return Outcome::hold(format!("the program cannot be started: {error}"));
        }
        ending.broken(format!("cannot run {}: {error}", self.file.display()));
        Outcome::Release
    }

    fn command(&self, variables: &[(String, String)]) -> Command {
        let mut command = Command::new(&self.file);
        command.args(&self.arguments);
        self.foreign.iter().for_each(|name| _ = command.env_remove(name));
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let stdout = if self.shown == Shown::Nothing { Stdio::null() } else { Stdio::piped() };
        command.stdin(Stdio::piped()).stdout(stdout).stderr(Stdio::piped());
        command
    }

    /// Until the pipe is closed: what is written is shown, in whole lines where there are, and its end is kept.
    async fn pass_on(
        &self,
        pipe: Option<impl AsyncRead + Unpin>,
        stream: Stream,
        tail: Option<&Mutex<Tail>>,
        over: &CancellationToken,
    ) {
        let Some(mut pipe) = pipe else { return };
        let (mut buffer, mut left) = (Vec::with_capacity(PIECE), LAST_OUTPUT.0);
        loop {
            let begun = buffer.len();
            let count = tokio::select! {
                biased;
                count = pipe.read_buf(&mut buffer) => count.unwrap_or(0),
                () = silence(over) => 0,
            };
            if over.is_cancelled() {
                left = left.saturating_sub(count);
            }
            let is_over = count == 0 || left == 0;
            if let Some(tail) = tail {
                tail.lock().unwrap_or_else(PoisonError::into_inner).push(buffer.get(begun..).unwrap_or_default());
            }
            // What was kept back has no end of a line in it.
            let line = buffer.iter().skip(begun).rposition(|byte| matches!(byte, b'\n' | b'\r'));
            let end = match line {
                _ if is_over || (line.is_none() && buffer.len() >= PIECE) => buffer.len(),
                Some(place) => begun + place + 1,
                None => 0,
            };
            if end > 0 {
                let rest = buffer.split_off(end);
                self.show(stream, std::mem::replace(&mut buffer, rest)).await;
            }
            if is_over {
                return;
            }
            buffer.reserve(PIECE.saturating_sub(buffer.len()));
        }
    }

    async fn show(&self, stream: Stream, piece: Vec<u8>) {
        match self.shown {
            Shown::Both => self.screen.write(stream, piece).await,
            Shown::Aside => self.screen.write(Stream::Err, piece).await,
            Shown::Nothing => {}
        }
    }
}

/// For so long after the end nothing was written.
async fn silence(over: &CancellationToken) {
    over.cancelled().await;
    sleep(LAST_OUTPUT.1).await;
}

/// What passes: no memory, no processes, no files left, or a file that is just being written.
fn is_passing(error: &std::io::Error) -> bool {
    use rustix::io::Errno;
    let passing = [Errno::AGAIN, Errno::NOMEM, Errno::MFILE, Errno::NFILE, Errno::TXTBSY, Errno::INTR];
    Errno::from_io_error(error).is_some_and(|error| passing.contains(&error))
}

/// A program that does not read its payload, or ends before, is right to do so.
async fn feed(stdin: Option<ChildStdin>, payload: Vec<u8>) -> std::convert::Infallible {
    if let Some(mut stdin) = stdin {
        stdin.write_all(&payload).await.ok();
    }
    drop(payload);
    std::future::pending().await
}
