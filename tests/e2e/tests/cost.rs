//! What the whole life of a job costs, in what can be counted: WAL, transaction ids, dead rows. No later change may lose it
//! silently. Buffers of a claim are counted in `plan.rs`, what an idle worker does in `wait.rs`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, complete, dequeue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database};
use pgqueuer_e2e::until::until;
use postgres::Client;

/// So many jobs make what the server itself writes meanwhile less than a byte of each.
const JOBS: usize = 5000;
/// Bytes of WAL of a job with 100 bytes of payload, without full pages: 670 on 15. The table's row and its log row are 290 of
/// them, the rest is indexes.
const MOST_WAL: f64 = 700.0;
/// One for each 1000 that are enqueued, one for each 100 that are completed, and what the server needs itself.
const MOST_TRANSACTION_IDS: f64 = 0.03;
/// Its row, which is removed. Nothing is updated.
const MOST_DEAD_ROWS: f64 = 1.01;

/// No vacuum removes what is counted, and no page is written whole.
fn server() -> Cluster {
    let cluster = Cluster::start(&[("autovacuum", "off"), ("checkpoint_timeout", "1h"), ("max_wal_size", "4GB")]);
    run(&mut cluster.connect("postgres"), "CHECKPOINT");
    cluster
}

/// Where the WAL ends, and the next transaction id.
fn marks(session: &mut Client) -> (i64, i64) {
    let wal = "SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint";
    (value(session, wal, &[]), value(session, "SELECT txid_snapshot_xmax(txid_current_snapshot())", &[]))
}

/// Enqueues jobs 1000 a call, claims and completes them 100 at a time.
fn lives(database: &Database, jobs: usize) {
    let mut session = database.connect();
    let enqueue =
        "SELECT count(*) FROM unnest(pgq.enqueue_many_text('{fetch}', array_fill(repeat('x', 100), ARRAY[1000])))";
    for _ in 0..jobs / 1000 {
        value::<i64>(&mut session, enqueue, &[]);
    }
    for _ in 0..jobs / 100 {
        let ids = dequeue(&mut session, "fetch", 100);
        assert_eq!(complete(&mut session, &ids).len(), 100);
    }
}

#[test]
fn a_job_costs_little_wal_and_few_transaction_ids() {
    let cluster = server();
    let database = cluster.database();
    let mut session = database.connect();
    // What is done once: catalogs are read and tidied, files get their first pages.
    lives(&database, 1000);
    let before = marks(&mut session);
    lives(&database, JOBS);
    let after = marks(&mut session);
    let wal = (after.0 - before.0) as f64 / JOBS as f64;
    let transaction_ids = (after.1 - before.1) as f64 / JOBS as f64;
    println!("a job: {wal:.0} bytes of WAL, {transaction_ids:.4} transaction ids");
    assert!(wal < MOST_WAL, "{wal:.1} bytes of WAL a job");
    assert!(transaction_ids <= MOST_TRANSACTION_IDS, "{transaction_ids:.4} transaction ids a job");
}

#[test]
fn a_job_leaves_one_dead_row() {
    let cluster = server();
    let database = cluster.database();
    lives(&database, JOBS);
    let mut session = database.connect();
    // Sessions tell the statistics of themselves when they end, a moment after their client has.
    let deleted = "SELECT n_tup_del FROM pg_stat_user_tables WHERE relid = 'pgq.job'::regclass";
    until("the statistics have every job", || (value::<i64>(&mut session, deleted, &[]) == JOBS as i64).then_some(()));
    let dead =
        "SELECT relname || ' ' || n_dead_tup FROM pg_stat_user_tables WHERE n_dead_tup > 0 ORDER BY n_dead_tup DESC";
    let tables: Vec<String> = column(&mut session, dead, &[]);
    let sum: i64 = value(&mut session, "SELECT sum(n_dead_tup)::bigint FROM pg_stat_user_tables", &[]);
    assert!(sum as f64 <= MOST_DEAD_ROWS * JOBS as f64, "{sum} dead rows of {JOBS} jobs: {tables:?}");
}
