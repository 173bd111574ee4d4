//! A server without the preload line: everything works but claiming, and the error says which line to add.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop};
use pgqueuer_e2e::until::until;
use postgres::error::DbError;
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, Config, NoTls};
use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};
use uuid::Uuid;

const LINE: &str = "shared_preload_libraries = 'pgqueuer'";

const WITHOUT: (&str, &str) = ("shared_preload_libraries", "");

fn cluster() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| Cluster::start(&[WITHOUT]))
}

/// A session that keeps what the server tells it beside the answers.
fn with_notices(database: &Database) -> (Client, Arc<Mutex<Vec<DbError>>>) {
    let notices = Arc::new(Mutex::new(vec![]));
    let kept = Arc::clone(&notices);
    let mut config: Config = database.address().parse().unwrap();
    config.notice_callback(move |notice| kept.lock().unwrap().push(notice));
    (config.connect(NoTls).unwrap(), notices)
}

#[test]
fn create_extension_warns_with_the_line_to_add() {
    let database = cluster().empty_database();
    let (mut session, notices) = with_notices(&database);
    run(&mut session, "CREATE EXTENSION pgqueuer");
    let notices = notices.lock().unwrap();
    let warnings: Vec<&DbError> = notices.iter().filter(|notice| notice.severity() == "WARNING").collect();
    assert_eq!(warnings.len(), 1, "{notices:?}");
    assert!(warnings[0].message().contains("not preloaded"), "{warnings:?}");
    assert!(warnings[0].hint().unwrap().contains(LINE), "{warnings:?}");
}

#[test]
fn jobs_are_produced_seen_and_controlled() {
    let database = cluster().database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 3);
    let one: i64 = value(&mut session, "SELECT pgq.enqueue('fetch', 'x', dedupe_key => 'k')", &[]);
    let again = "SELECT pgq.enqueue('fetch', 'y', dedupe_key => 'k', on_conflict => 'replace')";
    assert_eq!(value::<i64>(&mut session, again, &[]), one);
    let by_insert = "INSERT INTO pgq.jobs (entrypoint, payload) VALUES ('fetch', 'z') RETURNING id";
    let inserted: i64 = value(&mut session, by_insert, &[]);
    let mut copy = session.copy_in("COPY pgq.jobs (entrypoint, payload) FROM STDIN").unwrap();
    copy.write_all(b"parse\tone\nparse\ttwo\n").unwrap();
    assert_eq!(copy.finish().unwrap(), 2);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs WHERE status = 'queued'", &[]), 7);
    assert_eq!(claims(&mut session), 0);
    assert_eq!(value::<i64>(&mut session, "SELECT count FROM pgq.queue_size() WHERE entrypoint = 'parse'", &[]), 2);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.workers", &[]), 0);

    let moved = "SELECT pgq.reschedule($1, now() + interval '1 hour', 5)";
    assert_eq!(value::<Vec<i64>>(&mut session, moved, &[&ids]), ids);
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.cancel($1)", &[&ids[..1].to_vec()]), ids[..1]);
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.delete($1)", &[&vec![inserted]]), [inserted]);
    assert_eq!(value::<i64>(&mut session, "SELECT pgq.clear('{parse}')", &[]), 2);
    let states = "SELECT status::text FROM pgq.status($1) ORDER BY id";
    let asked = vec![ids[0], ids[1], inserted];
    assert_eq!(column::<String>(&mut session, states, &[&asked]), ["canceled", "queued", "deleted"]);
    assert_eq!(value::<i64>(&mut session, "SELECT sum(count)::bigint FROM pgq.throughput()", &[]), 4);
}

#[test]
fn settings_are_changed_and_a_job_that_was_held_is_queued_again() {
    let database = cluster().database();
    let mut session = database.connect();
    let configured = "SELECT concurrency_limit FROM pgq.configure('fetch', concurrency_limit => 4)";
    assert_eq!(value::<i32>(&mut session, configured, &[]), 4);
    assert!(value::<bool>(&mut session, "SELECT pgq.pause('fetch')", &[]));
    assert!(value::<bool>(&mut session, "SELECT paused FROM pgq.entrypoints", &[]));
    assert!(value::<bool>(&mut session, "SELECT pgq.resume('fetch')", &[]));
    let ids = enqueue(&mut session, "fetch", 2);
    // A job that failed elsewhere, as a dump brings it in.
    run(&mut session, "UPDATE pgq.job SET held = true, due = 'infinity', attempts = 5, failures = 5 WHERE id = 1");
    let failed = "SELECT id FROM pgq.jobs WHERE status = 'failed'";
    assert_eq!(value::<i64>(&mut session, failed, &[]), ids[0]);
    assert_eq!(value::<Vec<i64>>(&mut session, "SELECT pgq.requeue($1)", &[&ids]), ids[..1]);
    assert_eq!(claims(&mut session), 0);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs WHERE attempts = 0", &[]), 2);
}

#[test]
fn a_listener_hears_of_a_new_job() {
    let database = cluster().database();
    let mut listener = database.connect();
    let channel: String = value(&mut listener, "SELECT pgq.listen('{fetch}')", &[]);
    enqueue(&mut database.connect(), "fetch", 1);
    let heard = until("the notification is there", || {
        run(&mut listener, "");
        listener.notifications().iter().next().unwrap()
    });
    assert_eq!((heard.channel(), heard.payload()), (channel.as_str(), ""));
}

#[test]
fn every_call_of_a_worker_says_which_line_to_add() {
    let database = cluster().database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 1);
    for call in [
        "SELECT id FROM pgq.dequeue('{fetch}')",
        "SELECT id FROM pgq.dequeue('{fetch}', worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11')",
        "SELECT pgq.complete(1)",
        "SELECT pgq.complete_many('{1}')",
        "SELECT pgq.fail(1)",
        "SELECT pgq.fail(1, error_json => '{}')",
        "SELECT pgq.fail(1, error_jsonb => '{}')",
        "SELECT pgq.retry(1)",
        "SELECT pgq.finish('{1}', '{successful}')",
        "SELECT pgq.release('{1}')",
        "SELECT pgq.heartbeat('7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11')",
    ] {
        let error = refused(session.simple_query(call));
        assert_eq!(error.code().code(), "55000", "{call}: {error:?}");
        assert!(error.hint().unwrap().contains(LINE), "{call}: {error:?}");
    }
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs WHERE status = 'queued'", &[]), 1);
}

#[test]
fn the_hint_is_right_the_line_and_a_restart_are_all_it_takes() {
    let cluster = Cluster::start(&[WITHOUT]);
    let database = cluster.database();
    let id = enqueue(&mut database.connect(), "fetch", 1)[0];
    cluster.stop(Stop::Fast);
    cluster.configure(&[("shared_preload_libraries", "pgqueuer")]);
    cluster.begin();
    let mut session = database.connect();
    let named = "SELECT id FROM pgq.dequeue('{fetch}', worker => $1)";
    assert_eq!(value::<i64>(&mut session, named, &[&Uuid::from_u128(7)]), id);
}
