//! An operator ends workers and the launcher by hand: both come back, and nobody who relies on them notices more than a
//! moment.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{dequeue, enqueue, run, value};

use pgqueuer_e2e::cluster::{Cluster, Database, Setting};
use pgqueuer_e2e::serving::{complaints, launcher, terminate, until_launched, until_served, worker_of};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, faults};
use pgqueuer_e2e::until::{until, until_within};
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

/// A worker is started again a tenth of a second after it was ended by hand; the machine may be busy.
const AFTER_A_WORKER: Duration = Duration::from_millis(2500);
/// The server starts the launcher again after a second.
const AFTER_THE_LAUNCHER: Duration = Duration::from_millis(3000);

/// Ends processes for as long as `act` works: those that `which` finds, one after the other. Returns how many.
fn ending_all_the_while(
    cluster: &Cluster,
    which: impl Fn(&mut Client) -> Option<i32> + Send,
    act: impl FnOnce(),
) -> usize {
    struct Over<'a>(&'a AtomicBool);
    impl Drop for Over<'_> {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let (over, mut operator) = (&AtomicBool::new(false), cluster.connect("postgres"));
    thread::scope(|scope| {
        let ending = scope.spawn(move || {
            let (mut ended, mut last) = (0, 0);
            until_within(Duration::from_secs(120), "it is over", || {
                if let Some(process) = which(&mut operator).filter(|process| *process != last) {
                    terminate(&mut operator, process);
                    (ended, last) = (ended + 1, process);
                }
                over.load(SeqCst).then_some(ended)
            })
        });
        {
            let _over = Over(over);
            act();
        }
        ending.join().unwrap()
    })
}

/// Deferred jobs wake those who wait for them, jobs of ended sessions come back counted, both within `patience`; a few times.
fn assert_on_time(database: &Database, patience: Duration) {
    let mut session = database.connect();
    let counted = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'lost' AND status = 'queued' AND attempts = 1";
    let mut longest = (Duration::ZERO, Duration::ZERO);
    for _ in 0..3 {
        let waiter = Waiter::calls(database, "CALL pgq.wait('{later}', '20 s')");
        waiter.until_asleep(&mut session);
        let due = Instant::now() + Duration::from_millis(500);
        run(&mut session, "SELECT pgq.enqueue('later', delay => '500 ms')");
        enqueue(&mut session, "lost", 1);
        let mut lost = database.connect();
        assert_eq!(dequeue(&mut lost, "lost", 1).len(), 1);
        drop(lost);
        let ended = Instant::now();
        until("the lost job is counted", || (value::<i64>(&mut session, counted, &[]) == 1).then_some(()));
        let released = ended.elapsed();
        let woken = waiter.woken();
        assert!(woken.ready.unwrap());
        longest = (longest.0.max(woken.at - due), longest.1.max(released));
        run(&mut session, "SELECT pgq.clear('{later,lost}')");
    }
    println!("the longest from due to woken {:?}, from the end of a session to the release {:?}", longest.0, longest.1);
    assert!(longest.0 < patience && longest.1 < patience, "{longest:?}");
}

/// A database that ticks each second, whose worker is there.
fn beating<'a>(cluster: &'a Cluster, operator: &mut Client) -> Database<'a> {
    let database = cluster.database();
    each_second_catching_up(&mut database.connect(), "beat", "skip");
    until_served(operator, &database.name);
    database
}

fn assert_ticked(database: &Database, least: usize) {
    let all = beats(&mut database.connect(), "beat");
    assert!(all.len() >= least, "{all:?}");
    assert_eq!(faults(&all), [""; 0]);
}

fn server(more: &[Setting]) -> (Cluster, Client) {
    let cluster = Cluster::start(more);
    let mut operator = cluster.connect("postgres");
    until_launched(&mut operator);
    (cluster, operator)
}

#[test]
fn a_worker_that_is_ended_again_and_again_loses_nothing() {
    let (cluster, mut operator) = server(&[]);
    let database = beating(&cluster, &mut operator);
    let name = database.name.clone();
    let ended = ending_all_the_while(
        &cluster,
        |operator| worker_of(operator, &name),
        || {
            assert_on_time(&database, AFTER_A_WORKER);
            let mut session = database.connect();
            until("it ticks", || (beats(&mut session, "beat").len() >= 4).then_some(()));
        },
    );
    println!("{ended} workers were ended");
    assert!(ended >= 5, "{ended}");
    assert_ticked(&database, 4);
}

#[test]
fn a_launcher_that_is_ended_comes_back_and_nobody_misses_it_for_long() {
    // Two databases and one place: without the launcher nobody comes when the other is needed.
    let (cluster, mut operator) = server(&[("pgqueuer.max_background_workers", "1")]);
    let databases = [beating(&cluster, &mut operator), beating(&cluster, &mut operator)];
    for database in &databases {
        let before = until_launched(&mut operator);
        terminate(&mut operator, before);
        assert_on_time(database, AFTER_THE_LAUNCHER);
        until("there is another", || launcher(&mut operator).filter(|now| *now != before));
    }
    databases.iter().for_each(|database| assert_ticked(database, 3));
    // One that is ended whenever it is there gets on, too: from one end to the next.
    let ended = ending_all_the_while(&cluster, launcher, || {
        let mut session = databases[0].connect();
        let before = beats(&mut session, "beat").len();
        until("it ticks", || (beats(&mut session, "beat").len() >= before + 4).then_some(()));
    });
    assert!(ended >= 2, "{ended}");
    databases.iter().for_each(|database| assert_on_time(database, AFTER_THE_LAUNCHER));
    databases.iter().for_each(|database| assert_ticked(database, 7));
}

#[test]
fn the_workers_of_a_launcher_that_is_gone_work_on() {
    let (cluster, mut operator) = server(&[]);
    let database = beating(&cluster, &mut operator);
    let worker = until_served(&mut operator, &database.name);
    let before = until_launched(&mut operator);
    terminate(&mut operator, before);
    until("there is another", || launcher(&mut operator).filter(|now| *now != before));
    assert_on_time(&database, AFTER_A_WORKER);
    assert_eq!(worker_of(&mut operator, &database.name), Some(worker), "it was not replaced");
    // The new one knows the old one's workers, and sees them end.
    terminate(&mut operator, worker);
    until("there is another", || worker_of(&mut operator, &database.name).filter(|now| *now != worker));
    assert_on_time(&database, AFTER_A_WORKER);
    assert_ticked(&database, 3);
}

#[test]
fn a_statement_that_somebody_cancels_in_a_worker_ends_nothing_for_long() {
    let (cluster, mut operator) = server(&[]);
    let database = beating(&cluster, &mut operator);
    let cancel = "SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity WHERE backend_type ~ '^pgqueuer'";
    for _ in 0..3 {
        until_served(&mut operator, &database.name);
        assert!(value::<i64>(&mut operator, cancel, &[]) >= 1);
        assert_on_time(&database, AFTER_THE_LAUNCHER);
    }
    assert_ticked(&database, 4);
    // Whoever cancels a session that does nothing does nothing, and these sleep.
    assert!(!cluster.log().contains("exited with exit code"), "{:#?}", complaints(&cluster.log()));
}
