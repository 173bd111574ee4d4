//! What all that take part in a run share: the database, the clock, which of their sessions were killed, and when the
//! server crashed.

use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::Database;
use pgqueuer_e2e::history::{Limits, Moment};
use pgqueuer_e2e::until::until;
use postgres::{Client, NoTls};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A kind of work, and what it promises.
pub struct Entrypoint {
    pub name: &'static str,
    pub settings: &'static str,
    pub limits: Limits,
    /// How many ordering keys its jobs have; 0 for none.
    pub keys: usize,
}

const fn limits(concurrency: usize, rate: usize, period: u64) -> Limits {
    Limits { concurrency, rate, period: Duration::from_millis(period) }
}

/// Every job ends: after few attempts, or because most attempts succeed.
pub const ENTRYPOINTS: &[Entrypoint] = &[
    Entrypoint {
        name: "plain",
        settings: "max_attempts => 1000, on_failure => 'delete'",
        limits: limits(0, 0, 0),
        keys: 0,
    },
    Entrypoint {
        name: "limited",
        settings: "max_attempts => 3, concurrency_limit => 3",
        limits: limits(3, 0, 0),
        keys: 0,
    },
    Entrypoint {
        name: "rated",
        settings: "max_attempts => 3, on_failure => 'delete', rate_limit => 100, rate_period => '200 ms'",
        limits: limits(0, 100, 200),
        keys: 0,
    },
    Entrypoint { name: "ordered", settings: "max_attempts => 4", limits: limits(0, 0, 0), keys: 12 },
    Entrypoint { name: "fragile", settings: "max_attempts => 1, max_releases => 2", limits: limits(0, 0, 0), keys: 0 },
    Entrypoint {
        name: "all at once",
        settings: "max_attempts => 5, concurrency_limit => 4, rate_limit => 80, rate_period => '200 ms'",
        limits: limits(4, 80, 200),
        keys: 7,
    },
];

/// The session of a consumer as the operator sees it.
#[derive(Default)]
struct Life {
    process: i32,
    killed: Option<Moment>,
    /// How many crashes there were before it began.
    epoch: usize,
}

pub struct Run<'a> {
    database: &'a Database<'a>,
    start: Instant,
    pub seed: u64,
    /// Whether the server will crash: then nobody can say whether what a session lost is counted.
    pub crashing: bool,
    over: AtomicBool,
    lives: Vec<Mutex<Life>>,
    crashes: Mutex<Vec<Moment>>,
}

impl<'a> Run<'a> {
    pub fn new(database: &'a Database<'a>, seed: u64, consumers: usize, crashing: bool) -> Self {
        let lives = (0..consumers).map(|_| Mutex::default()).collect();
        let (start, over, crashes) = (Instant::now(), AtomicBool::new(false), Mutex::default());
        Self { database, start, seed, crashing, over, lives, crashes }
    }

    pub fn now(&self) -> Moment {
        self.start.elapsed()
    }

    pub fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }

    /// Lets everybody stop.
    pub fn end(&self) {
        self.over.store(true, SeqCst);
    }

    /// A session that nobody kills.
    pub fn session(&self) -> Client {
        self.database.connect()
    }

    /// A session of a consumer.
    pub fn connect(&self, place: usize) -> Client {
        let (session, process) = until("the server takes sessions", || {
            let mut session = Client::connect(&self.database.address(), NoTls).ok()?;
            let process = session.query_one("SELECT pg_backend_pid()", &[]).ok()?.get(0);
            Some((session, process))
        });
        // A crash from here on ends this session, so it will be noticed.
        *self.life(place) = Life { process, killed: None, epoch: lock(&self.crashes).len() };
        session
    }

    /// When the consumer's session was killed, if it was, alone or with all others.
    pub fn killed(&self, place: usize) -> Option<Moment> {
        let (life, crashes) = (self.life(place), lock(&self.crashes));
        life.killed.into_iter().chain(crashes.get(life.epoch).copied()).min()
    }

    /// How many crashes there were before the consumer's session began.
    pub fn epoch(&self, place: usize) -> usize {
        self.life(place).epoch
    }

    /// The first crash of an epoch.
    pub fn crash_of(&self, epoch: usize) -> Option<Moment> {
        lock(&self.crashes).get(epoch).copied()
    }

    /// Crashes the server, by the death of a consumer's session.
    pub fn crash(&self, place: usize) {
        let process = self.life(place).process.to_string();
        lock(&self.crashes).push(self.now());
        // A session that has ended meanwhile crashes nothing; what is certain is only less then.
        let _ = Command::new("kill").args(["-9", &process]).status();
    }

    /// Kills a consumer's session, unless it was killed and nobody has noticed yet.
    pub fn kill(&self, place: usize, by: &mut Client) {
        let mut life = self.life(place);
        if life.killed.is_none() {
            life.killed = Some(self.now());
            run(by, &format!("SELECT pg_terminate_backend({})", life.process));
        }
    }

    fn life(&self, place: usize) -> MutexGuard<'_, Life> {
        lock(&self.lives[place])
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whoever panics lets everybody stop.
pub struct StopOnPanic<'a>(pub &'a Run<'a>);

impl Drop for StopOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
    }
}
