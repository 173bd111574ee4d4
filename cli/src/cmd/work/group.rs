//! A program and all that it starts: a group of processes of its own, which ends as a whole.
//!
//! What has left the group by itself (`setsid`, a daemon) is out of reach.

use super::keeper::Keeper;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process_group, test_kill_process_group, waitpgid};
use std::io;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long to wait for the end of what was killed: longer only where a disk or the network does not answer.
const KILLED: Duration = Duration::from_secs(5);
/// How often to look whether anything is left, at first and at last.
const STEPS: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(100));

/// It is killed where this is dropped before its end.
pub struct Group {
    id: Pid,
    /// The program; its pipes are there to be taken.
    pub leader: Child,
    keeper: Arc<Keeper>,
    is_over: bool,
}

/// How patient one is with a group that is to end.
pub struct Patience<'a> {
    /// Between SIGTERM and SIGKILL.
    pub grace: Duration,
    /// Ends the grace.
    pub at_once: &'a CancellationToken,
}

impl Group {
    /// # Errors
    /// The program cannot be started.
    pub fn start(command: &mut Command, keeper: Arc<Keeper>) -> io::Result<Self> {
        let leader = command.process_group(0).spawn()?;
        // It was not waited for yet: its number is its own.
        let raw = leader.id().and_then(|id| i32::try_from(id).ok());
        let id = raw.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("the program has no number"))?;
        keeper.hold(id);
        Ok(Self { id, leader, keeper, is_over: false })
    }

    /// Waits for the end of the program itself.
    ///
    /// # Errors
    /// It cannot be waited for.
    pub async fn ended(&mut self) -> io::Result<ExitStatus> {
        self.leader.wait().await
    }

    /// Ends all of it: SIGTERM, and SIGKILL for what is left after the grace. None where not even that helped.
    pub async fn end(&mut self, patience: Patience<'_>) -> Option<ExitStatus> {
        self.signal(Signal::TERM);
        // What is stopped would not hear of it.
        self.signal(Signal::CONT);
        tokio::select! {
            status = self.gone() => return status,
            () = sleep(patience.grace) => {}
            () = patience.at_once.cancelled() => {}
        }
        self.signal(Signal::KILL);
        let status = timeout(KILLED, self.gone()).await.ok().flatten();
        if !self.is_over {
            tracing::warn!(group = %self.id.as_raw_nonzero(), "a program was killed and does not end");
        }
        status
    }

    /// Ends what the program, which has ended, has left behind.
    pub async fn end_rest(&mut self, patience: Patience<'_>) {
        if self.is_left() {
            self.end(patience).await;
        }
    }

    /// Waits until nothing of it is left.
    async fn gone(&mut self) -> Option<ExitStatus> {
        let status = self.leader.wait().await.ok();
        let mut step = STEPS.0;
        while self.is_left() {
            sleep(step).await;
            step = (step * 2).min(STEPS.1);
        }
        status
    }

    /// Whether there is a process in it. As the first process of a container we inherit orphans, and nobody else waits for
    /// them.
    fn is_left(&mut self) -> bool {
        while !self.is_over && matches!(waitpgid(self.id, WaitOptions::NOHANG), Ok(Some(_))) {}
        let is_left = !self.is_over && test_kill_process_group(self.id) != Err(Errno::SRCH) && lives(self.id);
        if !is_left {
            self.over();
        }
        is_left
    }

    fn signal(&self, signal: Signal) {
        if !self.is_over {
            // Whoever is gone needs no signal, and one with another user's rights takes none.
            kill_process_group(self.id, signal).ok();
        }
    }

    /// From now on the number may be another's.
    fn over(&mut self) {
        if !self.is_over {
            self.is_over = true;
            self.keeper.let_go(self.id);
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
        self.over();
    }
}

/// Whether not all of a group are dead, and only not waited for by whoever should: not every first process of a container does
/// so. Where nobody can say, they live.
fn lives(group: Pid) -> bool {
    let Ok(processes) = std::fs::read_dir("/proc") else { return true };
    let mut is_known = false;
    for process in
        processes.flatten().filter(|process| process.file_name().as_encoded_bytes().iter().all(u8::is_ascii_digit))
    {
        let Ok(line) = std::fs::read(process.path().join("stat")) else { continue };
        is_known = true;
        if state(&line, group).is_some_and(|state| !matches!(state, b"Z" | b"X")) {
            return true;
        }
    }
    !is_known
}

/// `1 (name) S parent group …`: the state, where it is of that group. A name may have brackets and spaces of its own.
fn state(line: &[u8], group: Pid) -> Option<&[u8]> {
    let after = line.iter().rposition(|byte| *byte == b')')?;
    let mut words = line.get(after + 2..)?.split(|byte| *byte == b' ');
    let (state, _parent, of) = (words.next()?, words.next()?, words.next()?);
    (of == group.as_raw_nonzero().to_string().as_bytes()).then_some(state)
}

/// Kills a group.
pub fn kill(group: Pid) {
    kill_process_group(group, Signal::KILL).ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_read_whatever_a_process_is_called() {
        let group = Pid::from_raw(77).unwrap();
        assert_eq!(state(b"5 (a) Z 1 77) Z 1 77 77 0", group), Some(&b"Z"[..]));
        assert_eq!(state(b"5 (a) S 77 5 77 0", group), None);
        assert_eq!(state(b"", group), None);
        let own = Pid::from_raw(rustix::process::getpgrp().as_raw_nonzero().get()).unwrap();
        assert!(lives(own) && !lives(Pid::from_raw(i32::MAX).unwrap()));
    }
}
