//! What all that take part in a run share: the database, the clock, which of their sessions were killed, and when the
//! server crashed.

use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::Database;
use pgqueuer_e2e::history::{Claim, History, Limits, Loss, Moment};
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
}

pub struct Run<'a> {
    database: &'a Database<'a>,
    start: Instant,
    pub seed: u64,
    /// Whether the server will crash: then nobody can say whether what a session lost is counted.
    pub crashing: bool,
    over: AtomicBool,
    lives: Vec<Mutex<Life>>,
    /// From when to when the server was away, or on its way there.
    crashes: Mutex<Vec<(Moment, Moment)>>,
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
        *self.life(place) = Life { process, killed: None };
        session
    }

    /// When the consumer's session was killed, if it was.
    pub fn killed(&self, place: usize) -> Option<Moment> {
        self.life(place).killed
    }

    /// Crashes the server, by the death of a consumer's session, and waits until it is back. False where that session has
    /// ended meanwhile.
    pub fn crash(&self, place: usize) -> bool {
        let mut witness = self.database.connect();
        let (process, before) = (self.life(place).process.to_string(), self.now());
        if !Command::new("kill").args(["-9", &process]).output().is_ok_and(|kill| kill.status.success()) {
            return false;
        }
        until("the crash has thrown everybody out", || witness.simple_query("").is_err().then_some(()));
        until("the server takes sessions", || Client::connect(&self.database.address(), NoTls).ok());
        lock(&self.crashes).push((before, self.now()));
        true
    }

    /// From a crash on nothing is certain of what was claimed before the server was back.
    pub fn forget_what_crashed(&self, history: &mut History) {
        for (before, after) in lock(&self.crashes).iter() {
            let crashed = |claim: &&mut Claim| claim.answered < *after && claim.until > *before;
            for claim in history.claims.iter_mut().filter(crashed) {
                claim.until = claim.answered.max(*before);
                claim.loss = Loss::Perhaps;
            }
        }
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
