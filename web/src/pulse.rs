//! Notices that something happened at the queue, and tells the viewers: one look for all of them. Notifications say that
//! jobs were enqueued; what they do not say, a slow tick finds.

use crate::app::App;
use crate::failure::Result;
use pgqueuer_client::Notifications;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// Two looks are at least so far apart.
const APART: Duration = Duration::from_secs(2);
/// While nothing happens the tick slows down to this.
const SLOWEST: Duration = Duration::from_secs(5);
/// While nobody looks, for the charts of the last hour.
const UNWATCHED: Duration = Duration::from_secs(30);
/// Pages show how much ended in each minute: a new one is a change.
const MINUTE: Duration = Duration::from_secs(60);
/// To so many entrypoints it listens; changes of the others are found by the tick.
const CHANNELS: usize = 500;

/// What the viewers wait for.
#[derive(Clone)]
pub struct Pulse {
    beats: watch::Sender<u64>,
    nudge: Arc<Notify>,
}

impl Default for Pulse {
    fn default() -> Self {
        Self { beats: watch::Sender::new(0), nudge: Arc::default() }
    }
}

impl Pulse {
    /// A viewer comes.
    pub fn watch(&self) -> watch::Receiver<u64> {
        let beats = self.beats.subscribe();
        self.nudge();
        beats
    }

    pub fn viewers(&self) -> usize {
        self.beats.receiver_count()
    }

    /// Looks soon.
    pub fn nudge(&self) {
        self.nudge.notify_one();
    }

    fn beat(&self) {
        self.beats.send_modify(|beats| *beats += 1);
    }
}

/// Looks at the queue until the dashboard is gone.
pub async fn run(app: Weak<App>, pulse: Pulse) {
    let mut watch = Watch { seen: None, beaten: Instant::now(), pause: APART, ears: Ears::default() };
    loop {
        let next = match app.upgrade() {
            Some(app) => watch.look(&app).await,
            None => return,
        };
        let earliest = Instant::now() + APART;
        tokio::select! {
            () = sleep_until(Instant::now() + next) => {}
            () = pulse.nudge.notified() => watch.pause = APART / 2,
            () = watch.ears.hear() => sleep_until(earliest).await,
        }
    }
}

struct Watch {
    seen: Option<(u64, usize)>,
    beaten: Instant,
    pause: Duration,
    ears: Ears,
}

impl Watch {
    /// Looks once, tells the viewers where there is something new, and says after how long to look again.
    async fn look(&mut self, app: &Arc<App>) -> Duration {
        if app.pulse.viewers() == 0 {
            self.ears = Ears::default();
            app.newest().await.ok();
            return UNWATCHED;
        }
        // A viewer of a database that is away is told when it comes back.
        let Ok(snapshot) = app.newest().await else {
            self.seen = None;
            return APART;
        };
        if let Err(failure) = self.ears.listen(app, snapshot.figures.entrypoints.keys()).await {
            tracing::debug!(title = failure.title, "no notifications: the tick alone tells of changes");
        }
        let mark = Some(snapshot.mark());
        if mark != self.seen || self.beaten.elapsed() >= MINUTE {
            self.seen = mark;
            self.beaten = Instant::now();
            self.pause = APART;
            app.pulse.beat();
        } else {
            self.pause = (self.pause * 2).min(SLOWEST);
        }
        self.pause
    }
}

/// A connection that listens.
#[derive(Default)]
struct Ears {
    notifications: Option<Notifications>,
    known: BTreeSet<String>,
}

impl Ears {
    /// Listens to entrypoints that are new.
    async fn listen(&mut self, app: &App, names: impl Iterator<Item = &String>) -> Result<()> {
        let new: Vec<String> = names.take(CHANNELS).filter(|name| !self.known.contains(*name)).cloned().collect();
        if new.is_empty() {
            return Ok(());
        }
        if self.notifications.is_none() {
            self.notifications = app.queue.notifications().await?;
        }
        if let Some(notifications) = &self.notifications {
            notifications.listen(&new).await?;
        }
        self.known.extend(new);
        Ok(())
    }

    /// Returns when something was heard. What comes with it is heard, too: a burst is one look.
    async fn hear(&mut self) {
        let Some(notifications) = &mut self.notifications else { return std::future::pending().await };
        let mut heard = notifications.next().await;
        while heard.is_ok() {
            match timeout(Duration::ZERO, notifications.next()).await {
                Ok(next) => heard = next,
                Err(_) => return,
            }
        }
        // The connection is gone: the next look makes another.
        *self = Self::default();
    }
}
