//! Every database of the server is served, however many there are and however few the workers: deferred jobs, schedules,
//! notifications, lost claims, after a restart, too. What has nothing to do costs nothing.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, dequeue, enqueue, run, value};

use pgqueuer_e2e::cluster::{Cluster, Database, Setting, Stop, major};
use pgqueuer_e2e::serving::{
    complaints, is_told_to_end, launcher, processor_time, until_launched, until_served, workers,
};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults, lateness, server_now};
use pgqueuer_e2e::until::{until, until_within};
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

const MANY: usize = 20;
const PLACES: usize = 4;
/// Twenty databases share four workers, each of which starts in some ten milliseconds; the machine may be busy.
const ON_TIME: Duration = Duration::from_millis(1500);

/// A server as PostgreSQL and the extension come, but for what others than we would do meanwhile.
fn few_places(more: &[Setting]) -> Cluster {
    let settings = [("max_worker_processes", "8"), ("pgqueuer.max_background_workers", "4"), ("autovacuum", "off")];
    Cluster::start(&[&settings, more].concat())
}

/// Does something in every database at the same time.
fn everywhere<R: Send>(databases: &[Database], act: impl Fn(&Database) -> R + Sync) -> Vec<R> {
    let act = &act;
    thread::scope(|scope| {
        let threads: Vec<_> = databases.iter().map(|database| scope.spawn(move || act(database))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Does something while somebody counts the databases' workers. Returns the most that there were.
fn counting<R>(cluster: &Cluster, act: impl FnOnce() -> R) -> (R, usize) {
    let (over, mut session) = (&AtomicBool::new(false), cluster.connect("postgres"));
    /// Also where a test fails.
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    thread::scope(|scope| {
        let counter = scope.spawn(move || {
            let mut most = 0;
            until_within(Duration::from_secs(120), "it is over", || {
                most = most.max(workers(&mut session).len());
                over.load(SeqCst).then_some(most)
            })
        });
        let answer = {
            let _over = Over(over);
            act()
        };
        (answer, counter.join().unwrap())
    })
}

/// Waits until the server's clock shows a second.
fn until_second(session: &mut Client, wanted: i64) {
    until_within(Duration::from_secs(30), "the time has come", || (server_now(session) >= wanted).then_some(()));
}

/// The time from when a job was due until its waiter had it, and until a listener was told.
fn deferred(database: &Database) -> (Duration, Duration) {
    let mut session = database.connect();
    let mut listener = database.connect();
    run(&mut listener, "SELECT pgq.listen('{later}')");
    let waiter = Waiter::calls(database, "CALL pgq.wait('{later}', '20 s')");
    waiter.until_asleep(&mut session);
    let due = Instant::now() + Duration::from_millis(1500);
    run(&mut session, "SELECT pgq.enqueue('later', delay => '1500 ms')");
    // One may come at once for a job that is not due yet.
    let told = until("the listener hears of it when it is due", || {
        first(&mut listener);
        Instant::now().checked_duration_since(due)
    });
    let woken = waiter.woken();
    assert!(woken.ready.unwrap(), "the waiter is woken");
    (woken.at.saturating_duration_since(due), told)
}

/// Waits for a notification.
fn first(listener: &mut Client) {
    let mut heard = listener.notifications();
    assert!(heard.timeout_iter(Duration::from_secs(10)).next().unwrap().is_some(), "the listener hears of it");
}

/// The time until a listener was told of a job that can run at once.
fn notified(database: &Database) -> Duration {
    let mut listener = database.connect();
    run(&mut listener, "SELECT pgq.listen('{now}')");
    enqueue(&mut database.connect(), "now", 1);
    let start = Instant::now();
    first(&mut listener);
    start.elapsed()
}

/// The times until a job of a session that ended could be had again, and one whose lease ran out.
fn released(database: &Database) -> (Duration, Duration) {
    let (mut session, mut lost) = (database.connect(), database.connect());
    let ids = enqueue(&mut session, "held", 2);
    let lease = Duration::from_millis(700);
    let sql = "SELECT id FROM pgq.dequeue('{held}', 1, $1, make_interval(secs => 0.7))";
    let named: Vec<i64> = column(&mut lost, sql, &[&Uuid::from_u128(7)]);
    let picked = Instant::now();
    assert_eq!((named.as_slice(), dequeue(&mut lost, "held", 1).as_slice()), (&ids[..1], &ids[1..]));
    drop(lost);
    let ended = Instant::now();
    let queued = "SELECT id FROM pgq.jobs WHERE entrypoint = 'held' AND status = 'queued' AND attempts = 1";
    let mut has = |id: i64| {
        until("it is queued, the attempt counted", || column(&mut session, queued, &[]).contains(&id).then_some(()));
    };
    has(ids[1]);
    let of_session = ended.elapsed();
    has(ids[0]);
    let of_lease = picked.elapsed().saturating_sub(lease);
    run(&mut session, "SELECT pgq.clear('{held}')");
    (of_session, of_lease)
}

fn worst(what: &str, mut all: Vec<Duration>) {
    all.sort_unstable();
    println!("{what}: median {:?}, worst {:?}", all[all.len() / 2], all[all.len() - 1]);
    assert!(all[all.len() - 1] < ON_TIME, "{what}: {all:?}");
}

/// Each database has ticked each second, punctually, from the first tick on, or from `since` on.
fn assert_ticked(databases: &[Database], name: &str, since: i64, least: usize) {
    let mut late = vec![];
    for database in databases {
        let mut session = database.connect();
        let mut all = beats(&mut session, name);
        all.retain(|tick| *tick >= since);
        assert!(all.len() >= least, "{}: {} ticks since {since}", database.name, all.len());
        assert_eq!(faults(&all), [""; 0], "{}", database.name);
        late.extend(lateness(&mut session, name).last().copied());
    }
    late.sort_unstable();
    println!("the latest tick of each database: median {} ms, worst {} ms", late[late.len() / 2], late[late.len() - 1]);
    assert!(u128::try_from(late[late.len() - 1]).unwrap() < ON_TIME.as_millis(), "{late:?}");
}

#[test]
fn twenty_databases_are_served_by_four_workers_before_and_after_a_restart() {
    let cluster = few_places(&[]);
    let databases: Vec<Database> = (0..MANY).map(|_| cluster.database()).collect();
    everywhere(&databases, |database| each_second_catching_up(&mut database.connect(), "beat", "skip"));
    let ((), most) = counting(&cluster, || {
        let (woken, told) = everywhere(&databases, deferred).into_iter().unzip();
        worst("from due to woken", woken);
        worst("from due to told", told);
        worst("from commit to told", everywhere(&databases, notified));
        let (of_sessions, of_leases) = everywhere(&databases, released).into_iter().unzip();
        worst("from the end of a session to the job's release", of_sessions);
        worst("from the end of a lease to the job's release", of_leases);
    });
    println!("at most {most} workers at a time");
    assert!((1..=PLACES).contains(&most), "{most} workers at a time");
    assert_ticked(&databases, "beat", 0, 3);

    // What nobody has touched since the start is served, too.
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = cluster.connect("postgres");
    let began = server_now(&mut session);
    let ((), most) = counting(&cluster, || until_second(&mut session, began + 6));
    assert!((1..=PLACES).contains(&most), "{most} workers at a time");
    // A tick that came while the server was down was missed; from the second after the start on none is.
    assert_ticked(&databases, "beat", began + 2, 4);
    let all = complaints(&cluster.log());
    assert!(all.iter().all(|line| is_told_to_end(line)), "{all:?}");
}

/// What shows that somebody has done something: processes, their time, what the databases have seen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Doing {
    launcher: Option<i32>,
    workers: Vec<i32>,
    times: Vec<Option<u64>>,
    commits: Vec<i64>,
}

fn doing(session: &mut Client) -> Doing {
    let (launcher, workers) = (launcher(session), workers(session));
    let times = workers.iter().chain(&launcher).map(|process| processor_time(*process)).collect();
    let commits = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname LIKE 'test%' ORDER BY datid";
    Doing { launcher, workers, times, commits: column(session, commits, &[]) }
}

/// Waits until nobody has done anything for so many looks in a row.
fn until_still(session: &mut Client, looks: usize) -> Doing {
    let (mut last, mut still) = (doing(session), 0);
    until_within(Duration::from_secs(20), "everything stands still", || {
        let now = doing(session);
        still = if now == last { still + 1 } else { 0 };
        last = now;
        (still == looks).then(|| last.clone())
    })
}

#[test]
fn a_server_with_nothing_to_do_starts_no_worker_and_uses_no_processor() {
    // Nothing but time passes here, so statistics are up to date without a wait. Before 15 they are so in any case.
    let cluster = few_places(if major() < 15 { &[] } else { &[("stats_fetch_consistency", "none")] });
    let databases: Vec<Database> = (0..MANY).map(|_| cluster.database()).collect();
    for database in &databases {
        let mut session = database.connect();
        run(&mut session, "SELECT pgq.arm(), pgq.schedule('yearly', '@yearly')");
        run(&mut session, "SELECT pgq.enqueue('later', delay => '1 day'), pgq.enqueue('now', 'x')");
        let held = "SELECT id FROM pgq.dequeue('{now}', 1, md5(random()::text)::uuid, '1 hour')";
        assert_eq!(column::<i64>(&mut session, held, &[]).len(), 1);
    }
    let mut session = cluster.connect("postgres");
    until_launched(&mut session);
    let before = until_still(&mut session, 150);
    assert!(before.launcher.is_some());
    assert_eq!(before.workers.len(), PLACES, "workers keep their places until others need them");
    let after = until_still(&mut session, 250);
    assert_eq!(after, before);
    // Nor has anything fallen asleep for good.
    let (woken, told) = everywhere(&databases, deferred).into_iter().unzip();
    worst("from due to woken", woken);
    worst("from due to told", told);
    until_still(&mut session, 100);
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn databases_without_the_extension_have_no_worker_and_are_visited_once() {
    let cluster = few_places(&[]);
    let databases: Vec<Database> = (0..6).map(|_| cluster.empty_database()).collect();
    let mut session = cluster.connect("postgres");
    until("nobody is there any more", || workers(&mut session).is_empty().then_some(()));
    until_still(&mut session, 50);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = cluster.connect("postgres");
    let commits = "SELECT count(*) FROM pg_stat_database WHERE datname LIKE 'test%' AND xact_commit > 0";
    until("each was visited", || (value::<i64>(&mut session, commits, &[]) == 6).then_some(()));
    let still = until_still(&mut session, 100);
    assert_eq!(still.workers, [0; 0]);
    // A commit, a notification or a new database is no reason to visit them again.
    cluster.database();
    until_served(&mut session, "test_6");
    run(&mut databases[0].connect(), "CREATE TABLE t ()");
    let after = until_still(&mut session, 100);
    assert_eq!(after.workers.len(), 2, "that of the template, too");
    assert_eq!(after.commits[1..6], still.commits[1..6]);
}

#[test]
fn a_claim_of_a_database_whose_worker_rests_is_released_when_its_lease_ends() {
    let cluster = few_places(&[("pgqueuer.max_background_workers", "1")]);
    let databases: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    each_second_catching_up(&mut databases[0].connect(), "beat", "skip");
    // One keeps the only place busy: the other workers come for a moment, and only if they are needed.
    let ((), most) = counting(&cluster, || {
        for _ in 0..3 {
            let (of_sessions, of_leases) = everywhere(&databases, released).into_iter().unzip();
            worst("from the end of a session to the job's release", of_sessions);
            worst("from the end of a lease to the job's release", of_leases);
        }
    });
    assert_eq!(most, 1);
    assert_ticked(&databases[..1], "beat", 0, 2);
}
