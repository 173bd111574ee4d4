//! `pgq.health()` says who keeps dead rows from being removed and what to do about it. Each test makes a check fail, does
//! what its hint says, and sees it well again.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database};
use pgqueuer_e2e::health::{Row, health, pass_transactions, row_of, until_row};
use pgqueuer_e2e::until::until;
use postgres::Client;

/// Limits that a test can reach. Other tests of the server use up transactions, too, but hold none for so long.
const OLD: &str = "pgq.health_of_rows(transactions => 300)";
const SNAPSHOT: &str = "oldest snapshot";

/// Some transactions later the oldest snapshot is too old, and `who` holds it.
fn is_named(session: &mut Client, who: &str) -> Row {
    assert!(health(session, SNAPSHOT).ok, "no session of a test lives for ten million transactions");
    pass_transactions(session, 310);
    let row = until_row(session, OLD, SNAPSHOT, false);
    assert!(row.detail.contains("transactions old, held by ") && row.detail.contains(who), "{row:?}");
    assert!(row.hint.contains("Dead rows of finished jobs cannot be removed meanwhile."), "{row:?}");
    row
}

fn says(row: &Row, statement: &str) {
    assert!(row.hint.contains(statement), "{statement}: {row:?}");
}

fn a_session_that(begins: &str) {
    let database = database();
    let (mut session, mut holder) = (database.connect(), database.connect());
    run(&mut session, "CREATE TABLE written (id int)");
    run(&mut holder, "SET application_name = 'report of the month'");
    run(&mut holder, begins);
    let process = process(&mut holder);
    let row = is_named(&mut session, &format!("process {process} (user postgres, application \"report of the month\""));
    assert!(row.detail.contains("idle in transaction since 2"), "{row:?}");
    let statement = format!("SELECT pg_terminate_backend({process})");
    says(&row, &statement);
    run(&mut session, &statement);
    until_row(&mut session, OLD, SNAPSHOT, true);
    // However few transactions there are.
    let mut holder = database.connect();
    run(&mut holder, begins);
    let long = row_of(&mut session, "pgq.health_of_rows(longest => '0')", SNAPSHOT);
    assert!(!long.ok, "{long:?}");
}

#[test]
fn a_session_with_an_old_snapshot_is_named() {
    a_session_that("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
}

#[test]
fn a_session_that_wrote_and_does_not_commit_is_named() {
    a_session_that("BEGIN; INSERT INTO written VALUES (1)");
}

#[test]
fn a_session_of_another_database_holds_nothing_here() {
    let (here, there) = (database(), database());
    let (mut session, mut holder) = (here.connect(), there.connect());
    run(&mut holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    pass_transactions(&mut session, 310);
    assert!(row_of(&mut session, OLD, SNAPSHOT).ok);
}

#[test]
fn a_prepared_transaction_is_named() {
    let cluster = Cluster::start(&[("max_prepared_transactions", "5")]);
    let mut session = cluster.database().connect();
    run(&mut session, "BEGIN; CREATE TABLE made (id int); PREPARE TRANSACTION 'nobody''s'");
    let row = is_named(&mut session, "prepared transaction 'nobody''s' (user postgres, since 2");
    says(&row, "ROLLBACK PREPARED 'nobody''s'");
    run(&mut session, "ROLLBACK PREPARED 'nobody''s'");
    until_row(&mut session, OLD, SNAPSHOT, true);
}

#[test]
fn a_logical_replication_slot_is_named() {
    let cluster = Cluster::start(&[("wal_level", "logical")]);
    let mut session = cluster.database().connect();
    run(&mut session, "SELECT pg_create_logical_replication_slot('warehouse', 'pgoutput')");
    let row = is_named(&mut session, "replication slot warehouse (logical, in use by nobody)");
    says(&row, "SELECT pg_drop_replication_slot('warehouse')");
    run(&mut session, "SELECT pg_drop_replication_slot('warehouse')");
    until_row(&mut session, OLD, SNAPSHOT, true);
}

/// A standby whose queries are known to the primary, and one of them.
fn standby_with_query(primary: &Cluster, database: &Database, slot: Option<&str>) -> (Cluster, Client) {
    let standby = Cluster::standby_of(primary);
    standby.stop(Stop::Fast);
    standby.configure(&[("hot_standby_feedback", "on"), ("wal_receiver_status_interval", "1")]);
    if let Some(slot) = slot {
        standby.configure(&[("primary_slot_name", slot)]);
    }
    standby.begin();
    let mut query = standby.connect(&database.name);
    run(&mut query, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    (standby, query)
}

#[test]
fn a_query_on_a_standby_is_named_by_its_standby() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut session = database.connect();
    let (_standby, mut query) = standby_with_query(&primary, &database, None);
    until("the standby tells of its query", || {
        let told = "SELECT count(*) FROM pg_stat_replication WHERE backend_xmin IS NOT NULL";
        (value::<i64>(&mut session, told, &[]) == 1).then_some(())
    });
    let row = is_named(&mut session, "standby \"walreceiver\" (127.0.0.1, by hot_standby_feedback)");
    says(&row, "End the oldest query on that standby");
    run(&mut query, "COMMIT");
    until_row(&mut session, OLD, SNAPSHOT, true);
}

#[test]
fn a_physical_replication_slot_is_named_with_its_standby_and_without() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut session = database.connect();
    run(&mut session, "SELECT pg_create_physical_replication_slot('reports', true)");
    let (standby, query) = standby_with_query(&primary, &database, Some("reports"));
    until("the slot keeps what the query sees", || {
        let kept = "SELECT count(*) FROM pg_replication_slots WHERE xmin IS NOT NULL AND active";
        (value::<i64>(&mut session, kept, &[]) == 1).then_some(())
    });
    let row = is_named(&mut session, "replication slot reports (physical, in use by process");
    says(&row, "End the oldest query on the standby that uses it");
    drop((standby, query));
    until("the standby has gone", || {
        let gone = "SELECT count(*) FROM pg_replication_slots WHERE NOT active";
        (value::<i64>(&mut session, gone, &[]) == 1).then_some(())
    });
    let row = is_named(&mut session, "replication slot reports (physical, in use by nobody)");
    says(&row, "SELECT pg_drop_replication_slot('reports')");
    run(&mut session, "SELECT pg_drop_replication_slot('reports')");
    until_row(&mut session, OLD, SNAPSHOT, true);
}

#[test]
fn dead_rows_are_counted_and_vacuumed() {
    let cluster = Cluster::start(&[("autovacuum", "off")]);
    let mut session = cluster.database().connect();
    enqueue(&mut session, "fetch", 500);
    run(&mut session, "SELECT pgq.clear()");
    let function = "pgq.health_of_rows(dead => 400)";
    let row = until_row(&mut session, function, "dead rows", false);
    assert!(row.detail.contains("500 dead, 0 live in pgq.job, vacuumed never"), "{row:?}");
    assert!(health(&mut session, "dead rows").ok);
    says(&row, "VACUUM pgq.job");
    run(&mut session, "VACUUM pgq.job");
    let row = until_row(&mut session, function, "dead rows", true);
    assert!(row.detail.contains("0 dead, 0 live in pgq.job, vacuumed 2"), "{row:?}");
}

/// Does what a hint says, word by word.
fn obey(session: &mut Client, row: &Row) {
    for statement in row.hint.trim_end_matches('.').split("; ") {
        run(session, statement);
    }
}

#[test]
fn autovacuum_that_is_off_is_turned_on() {
    let cluster = Cluster::start(&[("autovacuum", "off"), ("track_counts", "off")]);
    let mut session = cluster.database().connect();
    let row = health(&mut session, "autovacuum");
    assert!(!row.ok && row.detail == "autovacuum is off, track_counts is off: autovacuum knows of no work", "{row:?}");
    obey(&mut session, &row);
    until_row(&mut session, "pgq.health()", "autovacuum", true);
    run(&mut session, "ALTER TABLE pgq.job SET (autovacuum_enabled = off)");
    run(&mut session, "ALTER TABLE pgq.job_log_3 SET (toast.autovacuum_enabled = false)");
    let row = health(&mut session, "autovacuum");
    assert_eq!(row.detail, "autovacuum is off for pgq.job, autovacuum is off for pgq.job_log_3");
    obey(&mut session, &row);
    assert!(health(&mut session, "autovacuum").ok);
}

#[test]
fn old_rows_are_frozen() {
    let database = database();
    let mut session = database.connect();
    assert!(health(&mut session, "transaction ids").ok);
    pass_transactions(&mut session, 310);
    let function = "pgq.health_of_rows(age => 300)";
    let tables: Vec<String> = column(
        &mut session,
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'pgq'::regnamespace AND relkind = 'r'",
        &[],
    );
    let mut frozen = 0;
    loop {
        let row = row_of(&mut session, function, "transaction ids");
        if row.ok {
            break;
        }
        let table = row.detail.rsplit('.').next().unwrap();
        assert!(tables.iter().any(|name| name == table), "{row:?}");
        says(&row, &format!("VACUUM (FREEZE) pgq.{table}"));
        run(&mut session, &format!("VACUUM (FREEZE) pgq.{table}"));
        frozen += 1;
        assert!(frozen <= tables.len() * 3, "{row:?}");
    }
    assert!(frozen > 0);
}
