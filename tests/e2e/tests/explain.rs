//! Why a job is not running: reasons that need a second session, another server or a restart. Each disappears when what
//! it asks for is done. The others are in tests/pg_regress/sql/explain.sql.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{complete, dequeue, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop, database};
use pgqueuer_e2e::until::until;
use postgres::Client;

fn explain(session: &mut Client, id: i64) -> String {
    value(session, "SELECT pgq.explain($1)", &[&id])
}

#[track_caller]
fn assert_says(session: &mut Client, id: i64, words: &str) {
    let said = explain(session, id);
    assert!(said.contains(words), "{said}");
}

/// Waits until a sentence has some words.
fn until_says(session: &mut Client, id: i64, words: &str) {
    until(words, || explain(session, id).contains(words).then_some(()));
}

#[test]
fn a_job_that_another_session_holds_names_its_process_until_it_ends() {
    let database = database();
    let (mut worker, mut other) = (database.connect(), database.connect());
    let ids = enqueue(&mut other, "fetch", 1);
    assert_eq!(dequeue(&mut worker, "fetch", 1), ids);
    let holder = format!("is picked: attempt 1, by the session with process {} since ", process(&mut worker));
    assert_says(&mut other, ids[0], &holder);
    assert_says(&mut other, ids[0], "It is queued again if that session ends");
    run(&mut worker, "BEGIN");
    complete(&mut worker, &ids);
    assert_says(&mut other, ids[0], "A transaction that is still open is ending the claim.");
    drop(worker);
    until_says(&mut other, ids[0], "it is the next of its entrypoint");
    assert_eq!(dequeue(&mut other, "fetch", 1), ids);
    assert_says(&mut other, ids[0], "is picked: attempt 2");
}

#[test]
fn a_job_of_a_named_worker_says_until_when_that_is_to_be_heard_of() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 1);
    let sql = "SELECT id FROM pgq.dequeue('{fetch}', worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', lease => '1 s')";
    assert_eq!(value::<i64>(&mut session, sql, &[]), ids[0]);
    let said = explain(&mut session, ids[0]);
    assert!(said.contains("by the named worker 7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11 since "), "{said}");
    assert!(said.contains("It is queued again if nothing is heard of that worker until "), "{said}");
    until_says(&mut session, ids[0], "it is the next of its entrypoint");
}

#[test]
fn a_row_that_somebody_has_locked_is_told_as_long_as_it_is() {
    let database = database();
    let (mut operator, mut session) = (database.connect(), database.connect());
    let ids = enqueue(&mut session, "fetch", 1);
    run(&mut operator, "BEGIN");
    assert_eq!(value::<Vec<i64>>(&mut operator, "SELECT pgq.cancel($1)", &[&ids]), ids);
    assert_eq!(dequeue(&mut session, "fetch", 1), [0; 0]);
    assert_says(&mut session, ids[0], "a transaction that is still open has locked or changed its row");
    run(&mut operator, "ROLLBACK");
    assert_says(&mut session, ids[0], "it is the next of its entrypoint");
    assert_eq!(dequeue(&mut session, "fetch", 1), ids);
}

#[test]
fn a_job_whose_claims_were_rolled_back_is_held_back_for_a_time() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 1);
    run(&mut session, "SET pgqueuer.rollback_delay = '1 s'");
    for _ in 0..2 {
        run(&mut session, "BEGIN");
        assert_eq!(dequeue(&mut session, "fetch", 1), ids);
        run(&mut session, "ROLLBACK");
    }
    assert_says(&mut session, ids[0], "is held back until ");
    assert_says(&mut session, ids[0], "because its claims were rolled back, 2 times in a row");
    until_says(&mut session, ids[0], "it is the next of its entrypoint");
}

#[test]
fn memory_that_is_full_is_told_until_there_is_room() {
    let cluster = Cluster::start(&[("pgqueuer.max_claims", "64")]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 60);
    let held = dequeue(&mut session, "fetch", 60);
    assert_eq!(held.len(), 56);
    assert_says(&mut session, ids[59], "memory has no room for its claim: 56 of 64 are taken");
    complete(&mut session, &held[..1]);
    assert_says(&mut session, ids[56], "it is the next of its entrypoint");
    assert_says(&mut session, ids[59], "3 jobs of its entrypoint are ahead of it");
}

#[test]
fn who_only_listens_does_not_ask_and_who_waits_does() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.listen('{fetch}')");
    let ids = enqueue(&mut session, "fetch", 1);
    assert_says(&mut session, ids[0], "no worker has asked for its entrypoint since the server started");
    assert!(value::<bool>(&mut session, "CALL pgq.wait('{fetch}')", &[]));
    assert_says(&mut session, ids[0], "it is the next of its entrypoint, a worker last asked for its entrypoint ");
}

#[test]
fn an_entrypoint_that_nobody_asks_for_after_a_restart() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[..1]);
    complete(&mut session, &ids[..1]);
    drop(session);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    assert_says(&mut session, ids[1], "no worker has asked for its entrypoint since the server started");
    run(&mut session, "SELECT pgq.pause('fetch')");
    assert_eq!(dequeue(&mut session, "fetch", 1), [0; 0]);
    run(&mut session, "SELECT pgq.resume('fetch')");
    assert_says(&mut session, ids[1], "it is the next of its entrypoint");
}

#[test]
fn a_clear_forgets_no_worker_that_asked() {
    let database = database();
    let mut session = database.connect();
    assert_eq!(dequeue(&mut session, "fetch", 1), [0; 0]);
    run(&mut session, "SELECT pgq.clear()");
    let id = enqueue(&mut session, "fetch", 1)[0];
    let said = explain(&mut session, id);
    assert!(said.contains("no worker has asked for its entrypoint since 2"), "{said}");
}

#[test]
fn a_server_without_the_preload_line_says_which_line_to_add() {
    let cluster = Cluster::start(&[("shared_preload_libraries", "")]);
    let database = cluster.database();
    let mut session = database.connect();
    let id = enqueue(&mut session, "fetch", 1)[0];
    assert_says(&mut session, id, "shared_preload_libraries = 'pgqueuer'");
    let later: i64 = value(&mut session, "SELECT pgq.enqueue('fetch', delay => '1 day')", &[]);
    assert_says(&mut session, later, "is deferred until ");
    run(&mut session, "SELECT pgq.cancel(ARRAY(SELECT id FROM pgq.jobs))");
    assert_says(&mut session, id, "has ended: canceled at ");
}

#[test]
fn a_standby_tells_what_the_row_tells() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 2);
    let later: i64 = value(&mut session, "SELECT pgq.enqueue('fetch', delay => '1 day')", &[]);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[..1]);
    let standby = Cluster::standby_of(&primary);
    let mut copy = standby.connect(&database.name);
    for id in ids {
        assert_says(&mut copy, id, "this is a standby, which hands out nothing");
        assert_says(&mut copy, id, "known on the primary only");
    }
    assert_says(&mut copy, later, "is deferred until ");
    assert_says(&mut copy, 99, "is not known");
}
