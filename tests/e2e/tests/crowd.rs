//! Many workers, many names, tables made anew: memory that one caller fills takes nothing from another.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, dequeue, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use postgres::Client;
use postgres::error::SqlState;
use serde_json::Value;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

#[test]
fn a_flood_of_named_workers_takes_no_place_of_a_session() {
    let database = database();
    let (mut flood, mut session) = (database.connect(), database.connect());
    let beats = "SELECT count(pgq.heartbeat(md5(random()::text)::uuid, '100 years')) FROM generate_series(1, 5000)";
    assert_eq!(value::<i64>(&mut flood, beats, &[]), 5000);
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[..1]);
    let named = "SELECT count(*) FROM pgq.dequeue('{fetch}', 1, worker => md5(random()::text)::uuid)";
    assert_eq!(value::<i64>(&mut flood, named, &[]), 1);
}

#[test]
fn a_session_that_saw_a_rolled_back_drop_still_gives_its_claims_back_when_it_ends() {
    let database = database();
    let (mut owner, mut session) = (database.connect(), database.connect());
    let ids = enqueue(&mut owner, "fetch", 1);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids);
    run(&mut session, "BEGIN; DROP EXTENSION pgqueuer CASCADE; CREATE EXTENSION pgqueuer; SELECT pgq.enqueue('fetch')");
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1, "a job of the new table");
    run(&mut session, "ROLLBACK");
    assert_eq!(claims(&mut owner), 1);
    drop(session);
    until("the claim is given back", || (claims(&mut owner) == 0).then_some(()));
}

#[test]
fn a_hundred_thousand_names_are_read_in_time() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SET statement_timeout = '5s'");
    let listed = "SELECT count(*) FROM pgq.listen(ARRAY(SELECT 'n' FROM generate_series(1, 100000)))";
    assert_eq!(value::<i64>(&mut session, listed, &[]), 1);
    let clear = "SELECT pgq.clear(ARRAY(SELECT 'n' || i FROM generate_series(1, 100000) AS i))";
    assert_eq!(value::<i64>(&mut session, clear, &[]), 0);
    run(&mut session, "SET statement_timeout = '100ms'");
    let names = "SELECT * FROM pgq.dequeue(ARRAY(SELECT 'n' || i FROM generate_series(1, 1000000) AS i))";
    assert_eq!(refused(session.batch_execute(names)).code(), &SqlState::QUERY_CANCELED);
}

/// What a dequeue of one job touches, whatever it finds.
fn buffers_of_a_dequeue(session: &mut Client) -> i64 {
    let explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM pgq.dequeue('{busy}')";
    let explained: Value = value(session, explain, &[]);
    ["Shared Hit Blocks", "Shared Read Blocks"].iter().map(|kind| explained[0]["Plan"][kind].as_i64().unwrap()).sum()
}

/// A setting that changes in the moment of a dequeue makes it begin again, not claim and drop its way through the backlog.
#[test]
fn settings_that_change_all_the_time_make_no_dequeue_walk_the_backlog() {
    let database = database();
    let (mut worker, mut operator) = (database.connect(), database.connect());
    enqueue(&mut worker, "busy", 20_000);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !over.load(Relaxed) {
                run(&mut operator, "SELECT pgq.configure('busy', concurrency_limit => 100000)");
                run(&mut operator, "SELECT pgq.configure('busy', concurrency_limit => 100001)");
            }
        });
        let most = (0..800).map(|_| buffers_of_a_dequeue(&mut worker)).max().unwrap();
        over.store(true, Relaxed);
        assert!(most < 5000, "{most} buffers");
    });
    assert!(claims(&mut worker) > 400);
}
