//! How the worker ends, in three steps: nothing more is claimed; what still runs is ended and given back; all of it at once.

use super::group::Patience;
use super::screen::Screen;
use std::convert::Infallible;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How long the last word to the server may take, after what ran has ended.
const LAST_WORDS: Duration = Duration::from_secs(7);
/// The same where somebody has lost patience.
const LAST_WORDS_AT_ONCE: Duration = Duration::from_secs(2);

/// The steps, each of them told to whoever waits for it.
#[derive(Debug)]
pub struct Ending {
    pub stop: CancellationToken,
    pub deadline: CancellationToken,
    pub at_once: CancellationToken,
    /// Between SIGTERM and SIGKILL for a program.
    grace: Duration,
    /// Why no job could be run any more.
    broken: Mutex<Option<String>>,
}

impl Ending {
    pub fn new(grace: Duration) -> Self {
        let [stop, deadline, at_once] = std::array::from_fn(|_| CancellationToken::new());
        Self { stop, deadline, at_once, grace, broken: Mutex::default() }
    }

    /// For a program that is to end.
    pub fn patience(&self) -> Patience<'_> {
        Patience { grace: self.grace, at_once: &self.at_once }
    }

    /// Nothing can be run: the worker stops, and says so.
    pub fn broken(&self, why: String) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(why);
        self.stop.cancel();
    }

    pub fn why_broken(&self) -> Option<String> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Hears of SIGTERM and SIGINT: the first stops the worker and lets what runs go on for so long, the second ends it.
    /// Never returns.
    pub async fn listen(&self, mut signals: Signals, wait: Duration, screen: &Screen) -> Infallible {
        signals.next().await;
        self.stop.cancel();
        screen.say(&format!("Stopping. Jobs that run have {} s; a second signal ends them now.", wait.as_secs_f64()));
        tokio::select! {
            () = sleep(wait) => self.deadline.cancel(),
            () = signals.next() => self.now(),
        }
        signals.next().await;
        self.now();
        std::future::pending().await
    }

    fn now(&self) {
        self.at_once.cancel();
        self.deadline.cancel();
    }

    /// When nothing more is to be waited for, whatever the server does.
    pub async fn overdue(&self) {
        self.deadline.cancelled().await;
        tokio::select! {
            () = sleep(self.grace + LAST_WORDS) => {}
            () = async {
                self.at_once.cancelled().await;
                sleep(LAST_WORDS_AT_ONCE).await;
            } => {}
        }
    }
}

/// SIGTERM and SIGINT, which end the process no more once this is there.
pub struct Signals([Signal; 2]);

impl Signals {
    /// # Errors
    /// The kernel does not let us.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self([signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?]))
    }

    async fn next(&mut self) {
        let [terminate, interrupt] = &mut self.0;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}
