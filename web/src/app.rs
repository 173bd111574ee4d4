//! What all requests share.

use crate::history::History;
use crate::hour::Hour;
use crate::options::Options;
use crate::pulse::{self, Pulse};
use crate::snapshot::Snapshot;
use pgqueuer_client::Postgres;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use uuid::Uuid;

/// The dashboard's state.
pub struct App {
    pub queue: Postgres,
    pub options: Options,
    /// In every form, so that no other site can send one.
    pub form_key: String,
    pub pulse: Pulse,
    pub hour: Hour,
    pub history: History,
    /// One at a time makes a new snapshot; the others wait for it.
    pub making: tokio::sync::Mutex<()>,
    last: RwLock<Option<Arc<Snapshot>>>,
    /// How often something was changed from here.
    changes: AtomicU64,
    started: OnceLock<()>,
}

/// As handlers get it.
pub type Shared = Arc<App>;

impl App {
    pub fn new(queue: Postgres, options: Options) -> Shared {
        let app = Self::unwatched(queue, options);
        if tokio::runtime::Handle::try_current().is_ok() {
            app.start();
        }
        app
    }

    /// One that looks when it is asked, and not by itself.
    pub fn unwatched(queue: Postgres, options: Options) -> Shared {
        Arc::new(Self {
            queue,
            options,
            form_key: format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()),
            pulse: Pulse::default(),
            hour: Hour::default(),
            history: History::default(),
            making: tokio::sync::Mutex::default(),
            last: RwLock::default(),
            changes: AtomicU64::new(0),
            started: OnceLock::new(),
        })
    }

    /// Begins to watch the queue: at once, or with the first request where there was no runtime before.
    pub fn start(self: &Arc<Self>) {
        self.started.get_or_init(|| {
            tokio::spawn(pulse::run(Arc::downgrade(self), self.pulse.clone()));
        });
    }

    /// The newest figures there are, however old.
    pub fn last(&self) -> Option<Arc<Snapshot>> {
        self.last.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn keep(&self, snapshot: Arc<Snapshot>) {
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }

    /// Something was changed from here: no page shows what was before.
    pub fn changed(&self) {
        self.changes.fetch_add(1, SeqCst);
        self.pulse.nudge();
    }

    /// Figures that were begun at another number may be those of before.
    pub fn changes(&self) -> u64 {
        self.changes.load(SeqCst)
    }

    /// An entrypoint's name in the database.
    pub fn full(&self, name: &str) -> String {
        format!("{}{name}", self.options.prefix)
    }

    /// An entrypoint's name as it is shown; none where it is not to be.
    pub fn short<'a>(&self, full: &'a str) -> Option<&'a str> {
        full.strip_prefix(self.options.prefix.as_str())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.pulse.nudge();
    }
}
