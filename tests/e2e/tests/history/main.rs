//! Each job ends exactly once, whatever happens: consumers that claim and end at random in transactions that commit,
//! roll back or are cut off, an operator who cancels jobs and kills sessions, producers who take back what they
//! enqueued. Everybody writes down what was told; in the end it must be a history that can be true.
//!
//! `PGQUEUER_HISTORY_JOBS` sets the number of jobs, `PGQUEUER_HISTORY_SEED` what is done at random,
//! `PGQUEUER_HISTORY_CRASHES` how often the server crashes in the run that is about that.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

mod consumer;
mod producer;
mod run;

use consumer::Consumer;
use pgqueuer_e2e::ask::{column, run as execute, value};
use pgqueuer_e2e::cluster::{Cluster, Database};
use pgqueuer_e2e::history::check::faults;
use pgqueuer_e2e::history::{Cancel, Fate, History, Limits, Outcome, Row};
use pgqueuer_e2e::until::{until, until_within};
use postgres::{Client, NoTls};
use producer::Producer;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use run::{ENTRYPOINTS, Run, StopOnPanic};
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;
use uuid::Uuid;

const CONSUMERS: usize = 32;
const PRODUCERS: usize = 3;

fn number<T: FromStr>(variable: &str, otherwise: T) -> T {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn configure(database: &Database) {
    let mut session = database.connect();
    for entrypoint in ENTRYPOINTS {
        let sql = "SELECT pgq.configure($1, backoff_initial => '5 ms', backoff_max => '50 ms'";
        let sql = format!("{sql}, {})", entrypoint.settings);
        session.execute(&sql, &[&entrypoint.name]).unwrap();
    }
    // Sessions that end before the database has its worker are released without being counted.
    execute(&mut session, "SELECT id FROM pgq.dequeue('{plain}')");
    until("the database has its worker", || {
        let sql =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
        (value::<i64>(&mut session, sql, &[]) > 0).then_some(())
    });
}

/// Cancels jobs and kills sessions until all jobs have ended. Returns what it canceled.
fn operate(run: &Run, producing: &AtomicUsize, jobs: usize) -> History {
    let (mut session, mut seen) = (run.session(), History::default());
    let mut random = StdRng::seed_from_u64(run.seed + 2000);
    let patience = Duration::from_secs(60 + jobs as u64 / 100);
    until_within(patience, "all jobs have ended", || {
        if run.is_over() {
            return Some(());
        }
        if random.random_bool(0.2) {
            run.kill(random.random_range(0..CONSUMERS), &mut session);
        }
        if random.random_bool(0.5) {
            seen.cancels.push(cancel(run, &mut session, &mut random));
        }
        if random.random_bool(0.2) {
            disturb(&mut session, &mut random);
        }
        let left = "SELECT count(*) FROM pgq.job WHERE NOT held";
        let is_done = producing.load(SeqCst) == 0 && value::<i64>(&mut session, left, &[]) == 0;
        if run.now() > patience - Duration::from_secs(5) {
            let live = "SELECT to_jsonb(j)::text FROM pgq.jobs AS j WHERE status <> 'failed' LIMIT 20";
            panic!("these jobs do not end: {:#?}", column::<String>(&mut session, live, &[]));
        }
        is_done.then_some(())
    });
    run.end();
    seen
}

fn cancel(run: &Run, session: &mut Client, random: &mut StdRng) -> Cancel {
    let newest: i64 = value(session, "SELECT last_value FROM pgq.job_id_seq", &[]);
    let job = random.random_range((newest - 500).max(1)..=newest);
    let (sql, outcome) = if random.random_bool(0.7) {
        ("SELECT pgq.cancel(ARRAY[$1::bigint])", Outcome::Canceled)
    } else {
        ("SELECT pgq.delete(ARRAY[$1::bigint])", Outcome::Deleted)
    };
    let sent = run.now();
    let gone: Vec<i64> = value(session, sql, &[&job]);
    let fate = if gone == [job] { Fate::Yes } else { Fate::No };
    Cancel { job, outcome, sent, answered: run.now(), fate }
}

/// What changes when a job is handed out, and nothing else.
fn disturb(session: &mut Client, random: &mut StdRng) {
    let name = ENTRYPOINTS[random.random_range(0..ENTRYPOINTS.len())].name;
    if random.random_bool(0.5) {
        session.execute("SELECT pgq.pause($1)", &[&name]).unwrap();
        session.execute("SELECT pgq.resume($1)", &[&name]).unwrap();
    } else {
        // One at a time: consumers end jobs in any order, and two of them could be waited for crosswise.
        let one = "SELECT id FROM pgq.job WHERE entrypoint = $1 LIMIT 1";
        let sql = format!("SELECT pgq.reschedule(ARRAY({one}), clock_timestamp() + '20 ms', 1)");
        session.execute(&sql, &[&name]).unwrap();
    }
}

/// Crashes the server so many times, each time after some more jobs, until all have ended.
fn crash_again_and_again(run: &Run, database: &Database, times: usize) -> History {
    let mut random = StdRng::seed_from_u64(run.seed + 2000);
    let look = || {
        let mut session = Client::connect(&database.address(), NoTls).ok()?;
        let sql = "SELECT count(*), (SELECT count(*) FROM pgq.job WHERE NOT held) FROM pgq.job_log";
        let row = session.query_one(sql, &[]).ok()?;
        Some((row.get::<_, i64>(0), row.get::<_, i64>(1)))
    };
    let patience = Duration::from_secs(60);
    let mut last = 0;
    for _ in 0..times {
        until_within(patience, "work goes on", || {
            let (ended, left) = look()?;
            (ended > last + 150 || left == 0 || run.is_over()).then(|| last = ended)
        });
        until("a session is killed", || run.crash(random.random_range(0..CONSUMERS)).then_some(()));
    }
    until_within(patience, "all jobs have ended", || {
        let (_, left) = look()?;
        (left == 0 || run.is_over()).then_some(())
    });
    run.end();
    History::default()
}

/// Jobs that are there before anybody works.
fn enqueued(run: &Run, jobs: usize) -> History {
    let all = (0..PRODUCERS).map(|place| Producer::new(run, place).work(jobs / PRODUCERS));
    all.fold(History::default(), |mut all, seen| {
        all.add(seen);
        all
    })
}

/// Lets all of them work at once, and puts together what they saw.
fn everything_seen(run: &Run, jobs: usize) -> History {
    let producing = &AtomicUsize::new(PRODUCERS);
    thread::scope(|scope| {
        let operator = scope.spawn(move || {
            let _stop = StopOnPanic(run);
            operate(run, producing, jobs)
        });
        let producers = (0..PRODUCERS).map(|place| {
            scope.spawn(move || {
                let _stop = StopOnPanic(run);
                let seen = Producer::new(run, place).work(jobs / PRODUCERS);
                producing.fetch_sub(1, SeqCst);
                seen
            })
        });
        let producers: Vec<_> = producers.collect();
        together(consumers(scope, run).chain(producers).chain([operator]))
    })
}

fn consumers<'scope>(
    scope: &'scope Scope<'scope, '_>,
    run: &'scope Run,
) -> impl Iterator<Item = ScopedJoinHandle<'scope, History>> {
    let consumer = move |place| {
        scope.spawn(move || {
            let _stop = StopOnPanic(run);
            Consumer::new(run, place).work()
        })
    };
    (0..CONSUMERS).map(consumer).collect::<Vec<_>>().into_iter()
}

/// What all of some saw, when they are done.
fn together<'scope>(all: impl Iterator<Item = ScopedJoinHandle<'scope, History>>) -> History {
    // Each is started before the first is waited for.
    all.collect::<Vec<_>>().into_iter().fold(History::default(), |mut all, thread| {
        all.add(thread.join().expect("somebody has panicked"));
        all
    })
}

fn read_the_log(session: &mut Client) -> Vec<Row> {
    let sql = "SELECT job_id, attempts, worker, outcome::text, (extract(epoch FROM finished - picked) * 1000000)::bigint FROM pgq.job_log";
    let rows = session.query(sql, &[]).unwrap();
    let row = |row: &postgres::Row| Row {
        job: row.get(0),
        attempt: row.get(1),
        worker: row.get::<_, Option<Uuid>>(2).map(|worker| worker.as_u128()),
        outcome: row.get::<_, &str>(3).parse().unwrap(),
        ran: row.get::<_, Option<i64>>(4).map(|ran| Duration::from_micros(ran.max(0) as u64)),
    };
    rows.iter().map(row).collect()
}

fn left(session: &mut Client) -> Vec<(i64, bool)> {
    let rows = session.query("SELECT id, status = 'failed' FROM pgq.jobs", &[]).unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1))).collect()
}

/// How often each outcome is in the log, so that one sees whether the run tried everything.
fn tell(history: &History, seed: u64, took: Duration) {
    let count = |outcome: Outcome| history.log.iter().filter(|row| row.outcome == outcome).count();
    let words = [
        Outcome::Successful,
        Outcome::Exception,
        Outcome::Failed,
        Outcome::Canceled,
        Outcome::Deleted,
        Outcome::Retried,
    ];
    let words: Vec<String> = words.iter().map(|word| format!("{word:?} {}", count(*word))).collect();
    let (claims, undone) = (history.claims.len(), history.claims.iter().filter(|claim| claim.undone).count());
    let ends = |fate| history.ends.iter().filter(|end| end.fate == fate).count();
    println!(
        "seed {seed}, {took:.1?}: {} jobs, {claims} claims ({undone} rolled back, {} released, {} calls cut off), \
         ends: {} done, {} refused, {} unknown; {}",
        history.enqueues.len(),
        count(Outcome::Released),
        history.unanswered.len(),
        ends(Fate::Yes),
        ends(Fate::No),
        ends(Fate::Unknown),
        words.join(", ")
    );
}

#[test]
fn each_job_ends_exactly_once_whatever_happens() {
    let jobs: usize = number("PGQUEUER_HISTORY_JOBS", 2000);
    let seed: u64 = number("PGQUEUER_HISTORY_SEED", 20_261_122);
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    configure(&database);
    let run = Run::new(&database, seed, CONSUMERS, false);
    let mut history = everything_seen(&run, jobs);
    history.limits = ENTRYPOINTS.iter().map(|entrypoint| (entrypoint.name, entrypoint.limits)).collect();
    can_be_true(&run, &database, history);
}

#[test]
fn each_job_ends_exactly_once_though_the_server_crashes() {
    let seed: u64 = number("PGQUEUER_HISTORY_SEED", 20_261_122);
    let cluster = Cluster::start(&[("pgqueuer.receipt_after", "100ms")]);
    let database = cluster.database();
    configure(&database);
    let run = Run::new(&database, seed, CONSUMERS, true);
    let mut history = enqueued(&run, number("PGQUEUER_HISTORY_JOBS", 1200));
    history.add(thread::scope(|scope| {
        let operator = scope.spawn(|| {
            let _stop = StopOnPanic(&run);
            crash_again_and_again(&run, &database, number("PGQUEUER_HISTORY_CRASHES", 4))
        });
        together(consumers(scope, &run).chain([operator]))
    }));
    // A crash forgets what was claimed in the period, so a rate may be passed once.
    let without_rate = |limits: Limits| Limits { rate: 0, ..limits };
    let limits = ENTRYPOINTS.iter().map(|entrypoint| (entrypoint.name, without_rate(entrypoint.limits)));
    history.limits = limits.collect();
    run.forget_what_crashed(&mut history);
    can_be_true(&run, &database, history);
}

fn can_be_true(run: &Run, database: &Database, mut history: History) {
    let seed = run.seed;
    let mut session = database.connect();
    history.log = read_the_log(&mut session);
    history.left = left(&mut session);
    tell(&history, seed, run.now());
    let faults = faults(&history);
    // The first few of each kind.
    let told = faults.chunk_by(|one, other| one.rule == other.rule).flat_map(|chunk| chunk.iter().take(3));
    let told: Vec<String> = told.map(ToString::to_string).collect();
    assert!(faults.is_empty(), "PGQUEUER_HISTORY_SEED={seed}: {} faults: {told:#?}", faults.len());
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.claims()", &[]), 0);
}
