//! ALTER EXTENSION … UPDATE from every release: what it leaves is what a new installation has, and nobody who works is in
//! its way. The library is that of this checkout: it serves the SQL of the last release until then.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, empty_database};
use pgqueuer_e2e::contents::{contents, differing};
use pgqueuer_e2e::serving::{complaints, until_served};
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

/// Everything that CREATE EXTENSION makes, an object a line, in an order that says nothing of when it was made.
const CATALOG: &str = include_str!("upgrade_catalog.sql");
const VERSION: &str = "SELECT extversion FROM pg_extension WHERE extname = 'pgqueuer'";

/// Those that one can come from.
fn releases(session: &mut Client) -> Vec<String> {
    let releases: Vec<String> = column(
        session,
        "SELECT v.version FROM pg_available_extension_versions AS v JOIN pg_available_extensions AS e USING (name)
          WHERE name = 'pgqueuer' AND v.version <> e.default_version ORDER BY 1",
        &[],
    );
    assert!(releases.contains(&"0.1.0".into()), "{releases:?}");
    releases
}

fn install(session: &mut Client, release: &str) {
    run(session, &format!("CREATE EXTENSION pgqueuer VERSION '{release}'"));
}

fn update(session: &mut Client) {
    run(session, "ALTER EXTENSION pgqueuer UPDATE");
    let newest = "SELECT default_version FROM pg_available_extensions WHERE name = 'pgqueuer'";
    assert_eq!(value::<String>(session, VERSION, &[]), value::<String>(session, newest, &[]));
}

/// A job in every state that the log keeps or the queue does, settings, a schedule.
fn fill(session: &mut Client) {
    run(
        session,
        "SELECT pgq.configure('fetch', concurrency_limit => 300, backoff_initial => '90 s'), pgq.pause('mail')",
    );
    let ids = enqueue(session, "fetch", 6);
    assert_eq!(dequeue(session, "fetch", 3), ids[..3]);
    run(session, "SELECT pgq.complete(1), pgq.fail(2, 'broken'), pgq.retry(3, '1 hour', 'later')");
    assert_eq!(dequeue(session, "fetch", 1), ids[3..4]);
    run(session, "SELECT pgq.finish('{4}', '{failed}', ARRAY['{\"code\": 1}']::jsonb[])");
    run(
        session,
        "SELECT pgq.enqueue('mail', dedupe_key => 'k', ordering_key => 'o', headers => '{\"a\": 1}', delay => '1 day')",
    );
    run(session, "SELECT pgq.schedule('nightly', '30 3 * * *', 'report'), pgq.pause_schedule('nightly')");
}

#[test]
fn what_was_upgraded_is_what_is_installed_new() {
    let fresh = empty_database();
    let mut fresh = fresh.connect();
    run(&mut fresh, "CREATE EXTENSION pgqueuer");
    let expected: Vec<String> = column(&mut fresh, CATALOG, &[]);
    assert!(expected.len() > 500, "{}", expected.len());
    for release in releases(&mut fresh) {
        let database = empty_database();
        let mut session = database.connect();
        install(&mut session, &release);
        let before: Vec<String> = column(&mut session, CATALOG, &[]);
        assert_ne!(differing(&before, &expected), [""; 0], "the comparison sees what {release} has not");
        update(&mut session);
        assert_eq!(differing(&column(&mut session, CATALOG, &[]), &expected), [""; 0], "from {release}");
    }
}

#[test]
fn every_row_is_kept() {
    let any = empty_database();
    for release in releases(&mut any.connect()) {
        let database = empty_database();
        let mut session = database.connect();
        install(&mut session, &release);
        fill(&mut session);
        let before = contents(&mut session);
        update(&mut session);
        assert_eq!(differing(&contents(&mut session), &before), [""; 0], "from {release}");
        assert_eq!(dequeue(&mut session, "fetch", 9), [5, 6]);
        assert_eq!(complete(&mut session, &[5, 6]), [5, 6]);
    }
}

/// Works until it is told to stop, and then until nothing is left. Returns what it has ended.
fn work(database: &Database, stop: &AtomicBool) -> Vec<i64> {
    let mut session = database.connect();
    let mut ended = vec![];
    loop {
        let last = stop.load(SeqCst);
        let ids = dequeue(&mut session, "fetch", 5);
        ended.extend(complete(&mut session, &ids));
        if last && ids.is_empty() {
            return ended;
        }
    }
}

#[test]
fn those_who_work_go_on_while_it_is_upgraded() {
    let cluster = Cluster::start(&[]);
    let database = cluster.empty_database();
    let mut owner = database.connect();
    let releases = releases(&mut owner);
    for release in releases {
        install(&mut owner, &release);
        let stop = AtomicBool::new(false);
        let (made, mut ended) = thread::scope(|scope| {
            let workers: Vec<_> = (0..3).map(|_| scope.spawn(|| work(&database, &stop))).collect();
            let producer = scope.spawn(|| {
                let mut session = database.connect();
                let mut made = vec![];
                while !stop.load(SeqCst) {
                    made.extend(enqueue(&mut session, "fetch", 10));
                }
                made
            });
            let ended = |count: i64| {
                let mut session = database.connect();
                until("jobs are ended", || {
                    (value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log WHERE outcome = 'successful'", &[])
                        >= count)
                        .then_some(())
                });
            };
            ended(200);
            let by_now: i64 = value(&mut owner, "SELECT count(*) FROM pgq.job_log", &[]);
            update(&mut owner);
            ended(by_now + 200);
            stop.store(true, SeqCst);
            let made = producer.join().unwrap();
            (made, workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>())
        });
        ended.sort_unstable();
        assert_eq!(ended, made, "each once, from {release}");
        assert_eq!(claims(&mut owner), 0);
        run(&mut owner, "DROP EXTENSION pgqueuer");
    }
    assert_eq!(complaints(&cluster.log()), [""; 0]);
}

#[test]
fn the_background_worker_goes_on_with_what_was_upgraded() {
    let database = empty_database();
    let mut owner = database.connect();
    for release in releases(&mut owner) {
        install(&mut owner, &release);
        let other = empty_database();
        let process = until_served(&mut other.connect(), &database.name);
        run(&mut owner, "SELECT pgq.schedule('often', '* * * * * *', 'tick', overlap => true)");
        let ticks =
            |owner: &mut Client| value::<i64>(owner, "SELECT count(*) FROM pgq.jobs WHERE entrypoint = 'tick'", &[]);
        until("it ticks", || (ticks(&mut owner) > 0).then_some(()));
        update(&mut owner);
        let before = ticks(&mut owner);
        until("it goes on", || (ticks(&mut owner) > before + 1).then_some(()));
        assert_eq!(until_served(&mut other.connect(), &database.name), process);
        run(&mut owner, "DROP EXTENSION pgqueuer");
    }
}
