//! kill -9 of a database's worker, of the launcher, of a session, and an immediate stop of the server, again and again, while
//! jobs are in flight and schedules run: every job ends exactly once, every tick has exactly one job.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, process, run, value};

use pgqueuer_e2e::cluster::{Cluster, Database, Stop};
use pgqueuer_e2e::serving::{complaints, kill_nine, until_connected, until_launched, until_served};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults, server_now};
use pgqueuer_e2e::until::{until, until_within};
use postgres::{Client, Error, NoTls};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::Duration;
use uuid::Uuid;

/// What goes wrong in a round.
#[derive(Debug, Clone, Copy)]
enum Crash {
    Worker,
    Launcher,
    Session,
    Server,
}

const ROUNDS: [Crash; 8] = [
    Crash::Worker,
    Crash::Launcher,
    Crash::Server,
    Crash::Session,
    Crash::Server,
    Crash::Worker,
    Crash::Launcher,
    Crash::Server,
];
const JOBS: i32 = 60;

/// Somebody who claims jobs and ends them, through every crash: by a session, or by a name. Now and then it is lost with what
/// it holds. What it has done is written into the table `ran` by the transaction that ends the job.
struct Consumer<'a> {
    database: &'a Database<'a>,
    name: Option<Uuid>,
    random: StdRng,
}

impl Consumer<'_> {
    /// Works until `over`. A crash ends a life, not the work.
    fn work(&mut self, over: &AtomicBool) {
        until_within(Duration::from_secs(300), "the work is over", || {
            if let Ok(mut session) = Client::connect(&self.database.address(), NoTls) {
                // What an earlier life has held is lost: a sign of life of its name would keep it.
                self.name = self.name.map(|_| Uuid::from_u128(self.random.random()));
                while !over.load(SeqCst) && self.step(&mut session).is_ok_and(|goes_on| goes_on) {}
            }
            over.load(SeqCst).then_some(())
        });
    }

    /// Claims some jobs and ends them. False where the session is to be lost.
    fn step(&mut self, session: &mut Client) -> Result<bool, Error> {
        let lost = self.random.random_bool(0.05);
        let claim = "SELECT id, attempts FROM pgq.dequeue('{work,beat}', 3, $1, '2 s')";
        // Some claims are made in the transaction that ends them.
        let at_once = self.random.random_bool(0.3);
        let claimed = if at_once { vec![] } else { session.query(claim, &[&self.name])? };
        if lost {
            return Ok(false);
        }
        let mut transaction = session.transaction()?;
        let claimed = if at_once { transaction.query(claim, &[&self.name])? } else { claimed };
        for row in &claimed {
            let (id, attempt): (i64, i32) = (row.get(0), row.get(1));
            let tick = "SELECT extract(epoch FROM (headers->>'scheduled_at')::timestamptz)::bigint FROM pgq.jobs WHERE id = $1";
            let tick: Option<i64> = transaction.query_opt(tick, &[&id])?.and_then(|row| row.get(0));
            let done = "SELECT pgq.complete($1, $2, $3)";
            if transaction.query_one(done, &[&id, &self.name, &attempt])?.get(0) {
                transaction.execute("INSERT INTO ran VALUES ($1, $2, $3)", &[&id, &attempt, &tick])?;
            }
        }
        transaction.commit()?;
        if claimed.is_empty() {
            session.query("CALL pgq.wait('{work,beat}', '200 ms')", &[])?;
        }
        Ok(true)
    }
}

/// Enqueues jobs: most for now, some for later. Their ids are certain, as the commit was answered.
fn enqueue(session: &mut Client) -> Vec<i64> {
    let sql = "SELECT pgq.enqueue('work', delay => make_interval(secs => greatest(0, random() * 3 - 1.5))) FROM generate_series(1, $1)";
    column(session, sql, &[&JOBS])
}

/// Waits until jobs are picked, deferred and done, and the schedule has ticked since the last crash; for some rounds until
/// just before the next tick.
fn until_in_flight(session: &mut Client, before_a_tick: bool) {
    let sql =
        "SELECT count(*) FILTER (WHERE status = 'picked') > 0 AND count(*) FILTER (WHERE execute_after > now()) > 0
                 FROM pgq.jobs WHERE entrypoint = 'work'";
    until("jobs are in flight", || value::<bool>(session, sql, &[]).then_some(()));
    let last = server_now(session);
    until("it ticks", || beats(session, "unworked").last().is_some_and(|tick| *tick >= last).then_some(()));
    let about = "SELECT extract(epoch FROM clock_timestamp())::numeric % 1 > 0.97";
    until("a tick is about to come", || (!before_a_tick || value::<bool>(session, about, &[])).then_some(()));
}

fn crash(cluster: &Cluster, how: Crash, session: &mut Client, name: &str) {
    let (mut operator, mut witness) = (cluster.connect("postgres"), cluster.connect("postgres"));
    match how {
        Crash::Worker => kill_nine(until_served(&mut operator, name)),
        Crash::Launcher => kill_nine(until_launched(&mut operator)),
        Crash::Session => kill_nine(process(session)),
        Crash::Server => {
            cluster.stop(Stop::Immediate);
            cluster.begin();
        }
    }
    until("the crash has thrown everybody out", || witness.simple_query("").is_err().then_some(()));
}

/// What is wrong with the jobs that were enqueued, once no job is left: each has one row of the log that says that it
/// succeeded, and was done once.
fn wrong_jobs(session: &mut Client, enqueued: &[i64]) -> Vec<String> {
    let count = |session: &mut Client, sql: &str| -> BTreeMap<i64, i64> {
        session.query(sql, &[]).unwrap().iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let logged = count(
        session,
        "SELECT job_id, count(*) FROM pgq.job_log WHERE outcome NOT IN ('released', 'retried') GROUP BY job_id",
    );
    let ran = count(session, "SELECT id, count(*) FROM ran GROUP BY id");
    let jobs = enqueued.iter().chain(ran.keys()).chain(logged.keys());
    let once = |of: &BTreeMap<i64, i64>, id: &i64| of.get(id) == Some(&1);
    let wrong = jobs.filter(|id| !once(&logged, id) || !once(&ran, id));
    wrong.map(|id| format!("{id}: logged {:?}, ran {:?}", logged.get(id), ran.get(id))).collect()
}

#[test]
fn whatever_is_killed_each_job_ends_once_and_each_tick_has_one_job() {
    let cluster = Cluster::start(&[("restart_after_crash", "on")]);
    let database = cluster.database();
    let mut session = database.connect();
    run(&mut session, "CREATE TABLE ran (id bigint, attempt int, tick bigint)");
    each_second_catching_up(&mut session, "beat", "all");
    each_second_catching_up(&mut session, "unworked", "all");
    each_second_catching_up(&mut session, "once", "one");
    run(
        &mut session,
        "SELECT pgq.configure('work', max_releases => 1000), pgq.configure('beat', max_releases => 1000)",
    );
    let over = &AtomicBool::new(false);
    let mut enqueued = vec![];
    let began = server_now(&mut session);
    thread::scope(|scope| {
        for place in 0..6u64 {
            let name = (place % 2 == 0).then(Uuid::nil);
            let mut consumer = Consumer { database: &database, name, random: StdRng::seed_from_u64(place) };
            scope.spawn(move || consumer.work(over));
        }
        let (session, enqueued) = (&mut session, &mut enqueued);
        // Where a round fails, the consumers are told, too.
        let rounds = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for (round, how) in ROUNDS.into_iter().enumerate() {
                enqueued.extend(enqueue(session));
                until_in_flight(session, round % 3 == 0);
                crash(&cluster, how, session, &database.name);
                *session = until_connected(&database);
            }
            let left = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'work'";
            until_within(Duration::from_secs(30), "all jobs have ended", || {
                (value::<i64>(session, left, &[]) == 0).then_some(())
            });
            until("it ticks", || beats(session, "unworked").last().filter(|tick| **tick > began + 3).copied());
            run(session, "SELECT pgq.unschedule('beat'), pgq.unschedule('unworked'), pgq.unschedule('once')");
            let left = "SELECT count(*) FROM pgq.jobs WHERE entrypoint IN ('work', 'beat')";
            until_within(Duration::from_secs(30), "all ticks are worked off", || {
                (value::<i64>(session, left, &[]) == 0).then_some(())
            });
        }));
        over.store(true, SeqCst);
        rounds.unwrap();
    });
    assert_eq!(wrong_jobs(&mut session, &enqueued), [""; 0], "of {} jobs", enqueued.len());

    let unworked = beats(&mut session, "unworked");
    let worked: Vec<i64> = column(&mut session, "SELECT tick FROM ran WHERE tick IS NOT NULL ORDER BY tick", &[]);
    println!("{} jobs in {} crashes, {} ticks", enqueued.len(), ROUNDS.len(), unworked.len());
    assert_eq!(faults(&unworked), [""; 0]);
    assert_eq!(faults(&worked), [""; 0], "and each of them has run once");
    // They were made together and removed together.
    assert_eq!((worked.first(), worked.last()), (unworked.first(), unworked.last()));
    let once = beats(&mut session, "once");
    assert!(once.windows(2).all(|pair| pair[0] < pair[1]), "none twice: {once:?}");
    assert!(once.len() * 3 > unworked.len(), "and most of them: {once:?}");
    let lines = complaints(&cluster.log());
    let expected =
        |line: &&String| line.contains("was terminated by signal 9") || line.contains("WARNING:  terminating");
    assert_eq!(lines.iter().filter(|line| !expected(line)).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_deferred_job_whose_time_comes_during_a_crash_is_told_of_afterwards() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    for how in [Stop::Immediate, Stop::Fast] {
        let mut session = database.connect();
        run(&mut session, "SELECT pgq.enqueue('later', delay => '100 ms'), pgq.enqueue('much', delay => '2500 ms')");
        cluster.stop(how);
        cluster.begin();
        let mut session = until_connected(&database);
        // Whoever comes after the start and waits, or listens, has it: whether it was due before or not.
        for entrypoint in ["later", "much"] {
            let sql = format!("CALL pgq.wait('{{{entrypoint}}}', '10 s')");
            assert!(value::<bool>(&mut session, &sql, &[]), "{entrypoint}");
        }
        let done = "SELECT count(pgq.complete(id)) FROM pgq.dequeue('{later,much}', 9)";
        assert_eq!(value::<i64>(&mut session, done, &[]), 2);
    }
}
