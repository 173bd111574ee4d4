//! A job's row is written once and removed once; a claim writes nothing at all.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{database, major};
use pgqueuer_e2e::until::until;
use postgres::GenericClient;
use serde_json::Value;
use uuid::Uuid;

/// Where the row lies, who wrote it, who touched it.
fn version(session: &mut impl GenericClient, id: i64) -> String {
    value(session, "SELECT format('%s %s %s', ctid, xmin, xmax) FROM pgq.job WHERE id = $1", &[&id])
}

fn has_transaction_id(session: &mut impl GenericClient) -> bool {
    value(session, "SELECT txid_current_if_assigned() IS NOT NULL", &[])
}

fn wal_bytes_of(session: &mut impl GenericClient, sql: &str) -> i64 {
    let plan: Value = value(session, &format!("EXPLAIN (ANALYZE, WAL, FORMAT JSON) {sql}"), &[]);
    plan[0]["Plan"]["WAL Bytes"].as_i64().unwrap()
}

#[test]
fn nothing_touches_a_row_between_enqueue_and_complete() {
    let (database, worker) = (database(), Uuid::from_u128(7));
    let (mut a, mut b) = (database.connect(), database.connect());
    let id = enqueue(&mut a, "fetch", 1)[0];
    let written = version(&mut a, id);
    assert_eq!(dequeue(&mut a, "fetch", 1), [id]);
    assert!(dequeue(&mut b, "fetch", 1).is_empty());
    assert_eq!(value::<Vec<i64>>(&mut a, "SELECT pgq.release($1)", &[&vec![id]]), [id]);
    run(&mut b, "BEGIN");
    assert_eq!(dequeue(&mut b, "fetch", 1), [id]);
    run(&mut b, "ROLLBACK");
    let claim = "SELECT id FROM pgq.dequeue('{fetch}', worker => $1)";
    assert_eq!(value::<i64>(&mut b, claim, &[&worker]), id);
    let beat = "SELECT pgq.heartbeat($1, held => $2)";
    assert!(value::<Vec<i64>>(&mut b, beat, &[&worker, &vec![id]]).is_empty());
    assert_eq!(version(&mut a, id), written);
    assert!(value::<bool>(&mut b, "SELECT pgq.complete($1, $2)", &[&id, &worker]));
    assert_eq!(value::<i64>(&mut a, "SELECT count(*) FROM pgq.job", &[]), 0);
}

#[test]
fn the_server_counts_one_insert_and_one_delete_a_job_and_no_update() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 50);
    for _ in 0..5 {
        let ids = dequeue(&mut session, "fetch", 10);
        assert_eq!(complete(&mut session, &ids), ids);
    }
    let sql = "SELECT ARRAY[n_tup_ins, n_tup_upd, n_tup_del] FROM pg_stat_all_tables WHERE relid = 'pgq.job'::regclass";
    let counted = until("the statistics have all deletes", || {
        // It tells of itself when a statement has ended, some time after the last telling.
        Some(value::<Vec<i64>>(&mut session, sql, &[])).filter(|counted| counted[2] == 50)
    });
    assert_eq!(counted, [50, 0, 50]);
}

#[test]
fn a_claim_assigns_no_transaction_id() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 3);
    run(&mut session, "BEGIN");
    assert_eq!(dequeue(&mut session, "fetch", 2).len(), 2);
    let named = "SELECT id FROM pgq.dequeue('{fetch}', 1, $1)";
    value::<i64>(&mut session, named, &[&Uuid::from_u128(7)]);
    value::<Vec<i64>>(&mut session, "SELECT pgq.heartbeat($1)", &[&Uuid::from_u128(7)]);
    assert!(!has_transaction_id(&mut session));
    // The question itself is a sharp one: a write does assign one.
    enqueue(&mut session, "fetch", 1);
    assert!(has_transaction_id(&mut session));
}

#[test]
fn a_claim_and_a_heartbeat_write_no_wal() {
    if major() < 13 {
        return; // EXPLAIN does not count it.
    }
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 100);
    for claim in [
        "SELECT * FROM pgq.dequeue('{fetch}', 10)",
        "SELECT * FROM pgq.dequeue('{fetch}', 10, '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11')",
        "SELECT pgq.heartbeat('7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11')",
    ] {
        // The first call of a session reads catalogs, and with them may tidy their pages, which is logged.
        wal_bytes_of(&mut session, claim);
        assert_eq!(wal_bytes_of(&mut session, claim), 0, "{claim}");
    }
    assert!(wal_bytes_of(&mut session, "SELECT pgq.enqueue('fetch')") > 0);
}
