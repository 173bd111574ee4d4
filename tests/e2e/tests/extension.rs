//! The extension comes and goes, databases do, memory is full, the server is a standby.

#![allow(clippy::indexing_slicing, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{claims, column, complete, dequeue, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, database, empty_database};
use pgqueuer_e2e::until::until;
use postgres::Client;
use uuid::Uuid;

const WORKER: Uuid = Uuid::from_u128(7);

fn dequeue_named(session: &mut Client, most: i32) -> Vec<i64> {
    column(session, "SELECT id FROM pgq.dequeue('{fetch}', $1, $2)", &[&most, &WORKER])
}

/// Makes a session keep a plan of every statement on the way of a job.
fn keep_plans(session: &mut Client) {
    enqueue(session, "fetch", 6);
    run(session, "SELECT pgq.enqueue('fetch', dedupe_key => 'k'), pgq.configure('fetch', max_attempts => 2)");
    let ids = dequeue(session, "fetch", 7);
    run(session, &format!("SELECT pgq.fail({}), pgq.retry({}), pgq.release('{{{}}}')", ids[0], ids[1], ids[2]));
    run(session, &format!("SELECT pgq.finish('{{{},{}}}', '{{failed,exception}}')", ids[3], ids[4]));
    run(session, "SELECT * FROM pgq.jobs");
    complete(session, &ids[5..]);
}

#[test]
fn workers_go_on_after_the_extension_was_dropped_and_made_again() {
    let database = database();
    let (mut worker, mut other, mut owner) = (database.connect(), database.connect(), database.connect());
    keep_plans(&mut worker);
    keep_plans(&mut other);
    let held = dequeue(&mut worker, "fetch", 2);
    assert_eq!(held.len(), 2);
    assert!(!dequeue_named(&mut worker, 1).is_empty());
    run(&mut owner, "DROP EXTENSION pgqueuer");
    assert_eq!(refused(worker.simple_query("SELECT * FROM pgq.dequeue('{fetch}')")).code().code(), "42883");
    run(&mut owner, "CREATE EXTENSION pgqueuer");

    // Ids begin again. What was held of the old table says nothing of the new one, to anybody.
    let ids = enqueue(&mut owner, "fetch", 10);
    assert!(ids.iter().any(|id| held.contains(id)), "ids begin again: {ids:?}");
    assert_eq!(claims(&mut owner), 0);
    assert!(complete(&mut worker, &ids).is_empty());
    let named = "SELECT pgq.complete_many($1, $2)";
    assert!(value::<Vec<i64>>(&mut worker, named, &[&ids, &WORKER]).is_empty());
    assert_eq!(dequeue(&mut other, "fetch", 5), ids[..5]);
    assert_eq!(dequeue(&mut worker, "fetch", 9), ids[5..]);
    assert_eq!(complete(&mut worker, &ids), ids[5..]);
    assert_eq!(complete(&mut other, &ids), ids[..5]);
    keep_plans(&mut worker);
    keep_plans(&mut other);
}

#[test]
fn claims_of_a_session_end_with_it_also_after_the_extension_was_made_again() {
    let database = database();
    let (mut worker, mut owner) = (database.connect(), database.connect());
    enqueue(&mut worker, "fetch", 1);
    assert_eq!(dequeue(&mut worker, "fetch", 1).len(), 1);
    run(&mut owner, "DROP EXTENSION pgqueuer; CREATE EXTENSION pgqueuer");
    let ids = enqueue(&mut owner, "fetch", 1);
    assert_eq!(dequeue(&mut worker, "fetch", 1), ids);
    drop(worker);
    until("the job is free again", || Some(dequeue(&mut owner, "fetch", 1)).filter(|free| *free == ids));
}

#[test]
fn a_drop_that_rolls_back_ends_no_claim() {
    let database = database();
    let (mut worker, mut owner) = (database.connect(), database.connect());
    let ids = enqueue(&mut worker, "fetch", 3);
    assert_eq!(dequeue(&mut worker, "fetch", 2), ids[..2]);
    run(&mut owner, "BEGIN; DROP EXTENSION pgqueuer; ROLLBACK");
    assert_eq!(dequeue(&mut owner, "fetch", 3), ids[2..]);
    assert_eq!(complete(&mut worker, &ids), ids[..2]);
}

#[test]
fn dropping_the_extension_waits_for_a_transaction_that_has_claimed() {
    let database = database();
    let (mut worker, mut owner) = (database.connect(), database.connect());
    let ids = enqueue(&mut worker, "fetch", 1);
    run(&mut worker, "BEGIN");
    assert_eq!(dequeue(&mut worker, "fetch", 1), ids);
    let error = refused(owner.simple_query("SET lock_timeout = '50 ms'; DROP EXTENSION pgqueuer"));
    assert_eq!(error.code().code(), "55P03");
    assert_eq!(complete(&mut worker, &ids), ids);
    run(&mut worker, "COMMIT");
    run(&mut owner, "SET lock_timeout = 0; DROP EXTENSION pgqueuer");
}

#[test]
fn a_schema_pgq_of_somebody_else_is_left_alone() {
    for theirs in [
        "CREATE TABLE pgq.queue (id int)",
        "CREATE VIEW pgq.queue AS SELECT 1",
        "CREATE SEQUENCE pgq.queue",
        "CREATE FUNCTION pgq.next_batch() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ] {
        let database = empty_database();
        let mut session = database.connect();
        run(&mut session, &format!("CREATE SCHEMA pgq; {theirs}"));
        let error = refused(session.simple_query("CREATE EXTENSION pgqueuer"));
        assert_eq!(error.code().code(), "42P06", "{theirs}: {error:?}");
        assert!(error.message().contains("pgq"), "{error:?}");
        assert!(error.hint().is_some_and(|hint| hint.contains("empty")), "{error:?}");
        // Nothing of ours is left beside it, and once theirs is gone, there is room.
        assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pg_type WHERE typname = 'job_status'", &[]), 0);
        run(&mut session, "DROP SCHEMA pgq CASCADE; CREATE SCHEMA pgq; CREATE EXTENSION pgqueuer");
    }
}

/// A server whose memory has room for so many claims, the least there can be.
const ROOM: i64 = 64;

fn small_cluster() -> Cluster {
    Cluster::start(&[("pgqueuer.max_claims", "64")])
}

fn full(database: &Database) -> (Client, Vec<i64>) {
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 100);
    let ids = dequeue_named(&mut session, 100);
    (session, ids)
}

#[test]
fn where_memory_is_full_dequeue_hands_out_less_and_enqueue_goes_on() {
    let cluster = small_cluster();
    let database = cluster.database();
    let (mut session, held) = full(&database);
    assert!((1..=ROOM).contains(&(held.len() as i64)), "{} claims", held.len());
    assert_eq!(claims(&mut session), held.len() as i64);
    assert!(dequeue_named(&mut session, 10).is_empty());
    assert!(dequeue(&mut session, "fetch", 1).is_empty());
    assert_eq!(enqueue(&mut session, "fetch", 50).len(), 50);
    // What ends makes room for as much.
    let ended: Vec<i64> = value(&mut session, "SELECT pgq.complete_many($1, $2)", &[&held[..5].to_vec(), &WORKER]);
    assert_eq!(ended.len(), 5);
    assert_eq!(dequeue_named(&mut session, 10).len(), 5);
}

#[test]
fn a_database_that_takes_all_it_can_leaves_some_claims_to_another() {
    let cluster = small_cluster();
    let (greedy, modest) = (cluster.database(), cluster.database());
    let mut session = modest.connect();
    enqueue(&mut session, "fetch", 10);
    let (_, held) = full(&greedy);
    let mine = dequeue(&mut session, "fetch", 1);
    assert_eq!(mine.len(), 1, "another database holds {} of {ROOM} claims", held.len());
    // Again and again: it is a floor, not a leftover.
    assert_eq!(complete(&mut session, &mine), mine);
    assert!(dequeue_named(&mut greedy.connect(), 100).is_empty());
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
}

#[test]
fn a_dropped_database_frees_its_claims() {
    let cluster = small_cluster();
    let (gone, other) = (cluster.database(), cluster.database());
    let (session, held) = full(&gone);
    drop(session);
    run(&mut cluster.connect("postgres"), &format!("DROP DATABASE {}", gone.name));
    let (mut session, mine) = full(&other);
    assert_eq!(mine.len(), held.len());
    assert_eq!(claims(&mut session), held.len() as i64);
}

#[test]
fn a_standby_hands_out_nothing_and_shows_the_rows() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut on_primary = database.connect();
    let ids = enqueue(&mut on_primary, "fetch", 3);
    assert_eq!(dequeue_named(&mut on_primary, 1), ids[..1]);
    let standby = Cluster::standby_of(&primary);
    let mut session = standby.connect(&database.name);
    for call in [
        "SELECT id FROM pgq.dequeue('{fetch}')",
        "SELECT id FROM pgq.dequeue('{fetch}', worker => '00000000-0000-0000-0000-000000000007')",
        "SELECT pgq.complete(1, '00000000-0000-0000-0000-000000000007')",
        "SELECT pgq.complete_many('{1}')",
        "SELECT pgq.fail(1)",
        "SELECT pgq.retry(1)",
        "SELECT pgq.finish('{1}', '{successful}')",
        "SELECT pgq.release('{1}')",
        "SELECT pgq.heartbeat('00000000-0000-0000-0000-000000000007')",
        "SELECT pgq.enqueue('fetch')",
        "SELECT pgq.cancel('{1}')",
    ] {
        let error = refused(session.simple_query(call));
        assert_eq!(error.code().code(), "25006", "{call}: {error:?}");
    }
    let seen = "SELECT id FROM pgq.jobs ORDER BY id";
    assert_eq!(column::<i64>(&mut session, seen, &[]), ids);
    assert_eq!(value::<i64>(&mut session, "SELECT sum(count)::bigint FROM pgq.queue_size()", &[]), 3);
    // It follows: what ends on the primary is gone here a moment later.
    assert!(value::<bool>(&mut on_primary, "SELECT pgq.complete($1, $2)", &[&ids[0], &WORKER]));
    until("the standby has followed", || (column::<i64>(&mut session, seen, &[]) == ids[1..]).then_some(()));
    assert_eq!(dequeue(&mut on_primary, "fetch", 5), ids[1..]);
}

#[test]
fn a_standby_that_is_promoted_hands_out_what_the_primary_had() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut on_primary = database.connect();
    let ids = enqueue(&mut on_primary, "fetch", 3);
    assert_eq!(dequeue(&mut on_primary, "fetch", 2), ids[..2]);
    let standby = Cluster::standby_of(&primary);
    let mut session = standby.connect(&database.name);
    assert!(value::<bool>(&mut session, "SELECT pg_promote()", &[]));
    // The memory of the primary did not come along: nothing is held here. What had lived long enough to be written down is
    // given back first.
    let mut free = vec![];
    until("all are free", || {
        free.extend(dequeue(&mut session, "fetch", 5));
        (free.len() == ids.len()).then_some(())
    });
    free.sort_unstable();
    assert_eq!(free, ids);
    assert_eq!(complete(&mut session, &ids), ids);
}
