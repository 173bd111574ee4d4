//! Those who LISTEN hear of new jobs: shortly after the commit, a few times for many commits, or with each commit, as
//! `pgqueuer.notify` says.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use pgqueuer_e2e::ask::{column, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, database};
use pgqueuer_e2e::until::until;
use postgres::Client;
use postgres::error::SqlState;
use postgres::fallible_iterator::FallibleIterator;
use std::time::{Duration, Instant};

/// A session that listens, and the channel's name.
fn listener(database: &Database, entrypoint: &str) -> (Client, String) {
    let mut session = database.connect();
    let channels: Vec<String> = column(&mut session, "SELECT pgq.listen(ARRAY[$1])", &[&entrypoint]);
    assert_eq!(channels.len(), 1);
    (session, channels[0].clone())
}

/// What a session is notified of until nothing comes for `silence`.
fn heard(session: &mut Client, silence: Duration) -> Vec<(String, String)> {
    let mut notifications = session.notifications();
    let heard = notifications.timeout_iter(silence);
    heard.map(|heard| Ok((heard.channel().to_owned(), heard.payload().to_owned()))).collect().unwrap()
}

/// The first notification.
fn first(session: &mut Client) -> (String, String) {
    let mut notifications = session.notifications();
    let heard = notifications.timeout_iter(Duration::from_secs(10)).next().unwrap();
    heard.map(|heard| (heard.channel().to_owned(), heard.payload().to_owned())).expect("a notification arrives")
}

const SILENCE: Duration = Duration::from_millis(600);

#[test]
fn a_notification_without_payload_comes_soon_after_the_commit() {
    let database = database();
    let (mut worker, channel) = listener(&database, "fetch");
    let mut producer = database.connect();
    enqueue(&mut producer, "fetch", 1);
    assert_eq!(first(&mut worker), (channel.clone(), String::new()), "the first may start the database's worker");
    heard(&mut worker, SILENCE);
    let mut times: Vec<Duration> = (0..10)
        .map(|_| {
            enqueue(&mut producer, "fetch", 1);
            let committed = Instant::now();
            assert_eq!(first(&mut worker), (channel.clone(), String::new()));
            committed.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("from commit to notification: median {:?}, worst {:?}", times[5], times[9]);
    assert!(times[5] < Duration::from_millis(200), "{times:?}");
}

#[test]
fn every_way_to_enqueue_notifies() {
    let database = database();
    let (mut worker, channel) = listener(&database, "fetch");
    let mut producer = database.connect();
    run(
        &mut producer,
        "CREATE TABLE orders (id int); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS
                        $$BEGIN PERFORM pgq.enqueue('fetch', NEW.id::text); RETURN NEW; END$$;
                        CREATE TRIGGER t AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION f()",
    );
    let ways = [
        "SELECT pgq.enqueue('fetch')",
        "SELECT pgq.enqueue_many_text('{fetch}', '{a,b}')",
        "INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch')",
        "INSERT INTO orders VALUES (1)",
        "BEGIN; SELECT pgq.enqueue('other'); SELECT pgq.enqueue('fetch'); COMMIT",
        "BEGIN; SAVEPOINT s; SELECT pgq.enqueue('fetch'); RELEASE s; COMMIT",
        "DO $$BEGIN PERFORM pgq.enqueue('fetch'); EXCEPTION WHEN OTHERS THEN RAISE; END$$",
    ];
    for way in ways {
        run(&mut producer, way);
        assert_eq!(first(&mut worker), (channel.clone(), String::new()), "{way}");
        heard(&mut worker, SILENCE);
    }
}

#[test]
fn what_was_rolled_back_notifies_nobody() {
    let database = database();
    let (mut worker, _) = listener(&database, "fetch");
    let mut producer = database.connect();
    run(&mut producer, "BEGIN; SELECT pgq.enqueue('fetch'); ROLLBACK");
    run(&mut producer, "BEGIN; SAVEPOINT s; SELECT pgq.enqueue('fetch'); ROLLBACK TO s; COMMIT");
    run(&mut producer, "SELECT pgq.enqueue('other')");
    assert_eq!(heard(&mut worker, SILENCE), []);
}

#[test]
fn a_burst_of_commits_gives_a_few_notifications() {
    let database = database();
    let (mut worker, channel) = listener(&database, "fetch");
    let mut producer = database.connect();
    enqueue(&mut producer, "fetch", 1);
    first(&mut worker);
    heard(&mut worker, SILENCE);
    let start = Instant::now();
    (0..1000).for_each(|_| _ = value::<i64>(&mut producer, "SELECT pgq.enqueue('fetch')", &[]));
    let took = start.elapsed();
    let heard = heard(&mut worker, SILENCE);
    println!("{} notifications of 1000 commits in {took:?}", heard.len());
    assert!((1..=500).contains(&heard.len()), "{} notifications of 1000 commits in {took:?}", heard.len());
    assert!(heard.iter().all(|heard| *heard == (channel.clone(), String::new())));
}

#[test]
fn the_last_of_a_burst_is_heard_of() {
    let database = database();
    let (mut worker, _) = listener(&database, "fetch");
    let mut producer = database.connect();
    for _ in 0..20 {
        (0..20).for_each(|_| _ = value::<i64>(&mut producer, "SELECT pgq.enqueue('fetch')", &[]));
        // Whoever looks at the queue each time that it is notified has seen everything in the end.
        let mut left = 20;
        while left > 0 {
            first(&mut worker);
            let ids: Vec<i64> = column(&mut worker, "SELECT id FROM pgq.dequeue('{fetch}', 100)", &[]);
            left -= ids.len();
            let done: Vec<i64> = value(&mut worker, "SELECT pgq.complete_many($1)", &[&ids]);
            assert_eq!(done, ids);
        }
        heard(&mut worker, Duration::from_millis(100));
    }
}

#[test]
fn a_retry_and_a_deferred_job_notify_when_they_are_due() {
    let database = database();
    let (mut worker, channel) = listener(&database, "fetch");
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 1);
    first(&mut worker);
    heard(&mut worker, SILENCE);
    for act in [
        "SELECT pgq.retry(id, '1500 ms') FROM pgq.dequeue('{fetch}')",
        "SELECT pgq.enqueue('fetch', delay => '1500 ms')",
    ] {
        run(&mut session, act);
        let start = Instant::now();
        // One may come at once for a job that is not due yet.
        heard(&mut worker, SILENCE);
        assert_eq!(first(&mut worker), (channel.clone(), String::new()), "{act}");
        let took = start.elapsed();
        println!("{act}: notified after {took:?}");
        assert!((Duration::from_millis(1400)..Duration::from_millis(3000)).contains(&took), "{act}: {took:?}");
        run(&mut session, "SELECT pgq.complete(id) FROM pgq.dequeue('{fetch}', 9)");
        heard(&mut worker, SILENCE);
    }
}

#[test]
fn off_notifies_nobody() {
    let cluster = Cluster::start(&[("pgqueuer.notify", "off")]);
    let database = cluster.database();
    let (mut worker, _) = listener(&database, "fetch");
    let mut producer = database.connect();
    enqueue(&mut producer, "fetch", 3);
    run(&mut producer, "SELECT pgq.enqueue('fetch', delay => '200 ms')");
    assert_eq!(heard(&mut worker, Duration::from_secs(2)), []);
}

/// A database whose background worker has told of a job.
fn with_worker(database: &Database, worker: &mut Client) {
    enqueue(&mut database.connect(), "fetch", 1);
    first(worker);
    heard(worker, SILENCE);
}

#[test]
fn a_session_can_turn_it_off() {
    let database = database();
    let (mut worker, _) = listener(&database, "fetch");
    with_worker(&database, &mut worker);
    let mut producer = database.connect();
    run(&mut producer, "SET pgqueuer.notify = 'off'");
    enqueue(&mut producer, "fetch", 3);
    assert_eq!(heard(&mut worker, SILENCE), []);
}

#[test]
fn transactional_notifies_with_each_commit() {
    let database = database();
    let (mut worker, channel) = listener(&database, "fetch");
    with_worker(&database, &mut worker);
    let mut producer = database.connect();
    run(&mut producer, "SET pgqueuer.notify = 'transactional'");
    for _ in 0..5 {
        run(&mut producer, "BEGIN; SELECT pgq.enqueue('fetch'), pgq.enqueue('fetch'); COMMIT");
    }
    assert_eq!(heard(&mut worker, SILENCE), vec![(channel, String::new()); 5]);
    // A session hears what it sent itself before the answer to its COMMIT, so nobody else has sent it.
    let (mut itself, channel) = listener(&database, "fetch");
    run(&mut itself, "SET pgqueuer.notify = 'transactional'; SELECT pgq.enqueue('fetch')");
    let at_once: Vec<String> =
        itself.notifications().iter().map(|heard| Ok(heard.channel().to_owned())).collect().unwrap();
    assert_eq!(at_once, [channel]);
}

fn prepared_transactions() -> Cluster {
    Cluster::start(&[("max_prepared_transactions", "4")])
}

#[test]
fn a_transaction_that_enqueued_can_be_prepared_and_notifies_when_it_is_committed() {
    let cluster = prepared_transactions();
    let database = cluster.database();
    let (mut worker, channel) = listener(&database, "fetch");
    let mut producer = database.connect();
    run(&mut producer, "BEGIN; SELECT pgq.enqueue('fetch'); PREPARE TRANSACTION 'p'");
    run(&mut producer, "BEGIN; SELECT pgq.enqueue('fetch'); PREPARE TRANSACTION 'q'");
    assert_eq!(heard(&mut worker, SILENCE), []);
    run(&mut producer, "ROLLBACK PREPARED 'q'");
    assert_eq!(heard(&mut worker, SILENCE), []);
    run(&mut database.connect(), "COMMIT PREPARED 'p'");
    assert_eq!(first(&mut worker), (channel, String::new()));
    assert_eq!(column::<i64>(&mut worker, "SELECT id FROM pgq.dequeue('{fetch}', 9)", &[]).len(), 1);
    // PostgreSQL does not prepare what has sent notifications.
    run(&mut producer, "SET pgqueuer.notify = 'transactional'; BEGIN; SELECT pgq.enqueue('fetch')");
    let error = refused(producer.batch_execute("PREPARE TRANSACTION 'r'"));
    assert_eq!(error.code(), &SqlState::FEATURE_NOT_SUPPORTED);
}

#[test]
fn the_worker_that_notifies_comes_back_when_it_is_ended() {
    let database = database();
    let (mut worker, _) = listener(&database, "fetch");
    let mut producer = database.connect();
    for _ in 0..2 {
        let processes =
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
        until("jobs are heard of", || {
            enqueue(&mut producer, "fetch", 1);
            (!heard(&mut worker, SILENCE).is_empty()).then_some(())
        });
        let running: Vec<i32> = column(&mut producer, processes, &[]);
        assert_eq!(running.len(), 1, "one background worker serves the database");
        assert!(value::<bool>(&mut producer, "SELECT pg_terminate_backend($1)", &[&running[0]]));
        until("it has ended", || (column::<i32>(&mut producer, processes, &[]) != running).then_some(()));
    }
}

#[test]
fn a_deferred_job_is_told_of_though_the_background_worker_was_ended_meanwhile() {
    let database = database();
    let (mut worker, channel) = listener(&database, "fetch");
    with_worker(&database, &mut worker);
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('fetch', delay => '3 s')");
    heard(&mut worker, SILENCE);
    let end = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND backend_type ~ 'pgqueuer'";
    assert_eq!(value::<i64>(&mut session, end, &[]), 1);
    assert_eq!(first(&mut worker), (channel, String::new()), "though nobody has called anything since");
}

/// One transaction brings jobs for now and a deferred one of the same entrypoint, in whatever way: it is told of when it is
/// due, though nothing else happens until then.
#[test]
fn a_deferred_job_that_came_with_others_for_now_is_told_of_when_it_is_due() {
    let database = database();
    let (mut worker, _) = listener(&database, "fetch");
    let mut producer = database.connect();
    enqueue(&mut producer, "fetch", 1);
    first(&mut worker);
    let batches = [
        "SELECT pgq.enqueue('fetch'), pgq.enqueue('fetch', delay => '1500 ms')",
        "SELECT pgq.enqueue('fetch', delay => '1500 ms'), pgq.enqueue('fetch')",
        "SELECT pgq.enqueue_many('{fetch}', '{a,b}', execute_after => ARRAY[now(), clock_timestamp() + '1500 ms'])",
        "SELECT pgq.enqueue_many('{fetch}', '{a,b}', on_conflict => 'replace', dedupe_keys => ARRAY[NULL, NULL]::text[], \
                                 execute_after => ARRAY[now(), clock_timestamp() + '1500 ms'])",
        "INSERT INTO pgq.jobs (entrypoint, execute_after) VALUES ('fetch', now()), ('fetch', clock_timestamp() + '1500 ms')",
    ];
    for batch in batches {
        run(&mut producer, batch);
        // Those for now, until it is quiet: the deferred one is left.
        heard(&mut worker, SILENCE);
        pgqueuer_e2e::ask::dequeue(&mut producer, "fetch", 100);
        first(&mut worker);
        let due = pgqueuer_e2e::ask::dequeue(&mut producer, "fetch", 100);
        assert_eq!(due.len(), 1, "{batch}");
    }
}
