//! `pgq.health()`: each test makes a check fail, sees what it says, does what its hint says, and sees it well again.
//! What keeps dead rows is in `health_of_rows.rs`.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, dequeue, enqueue, process, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database, major};
use pgqueuer_e2e::health::{Row, health, row_of, until_row};
use pgqueuer_e2e::until::until;
use postgres::Client;
use serde_json::Value;
use std::fs::read_to_string;
use std::path::Path;

const ALL: &str = "pgq.health()";

fn checks(session: &mut Client) -> Vec<String> {
    column(session, "SELECT \"check\" FROM pgq.health()", &[])
}

fn says(row: &Row, detail: &str, hint: &str) {
    assert!(!row.ok && row.detail.contains(detail) && row.hint.contains(hint), "{detail}, {hint}: {row:?}");
}

/// Adds a line to the configuration, as the hint says, and restarts.
fn restart_with(cluster: &Cluster, database: &Database, setting: (&str, &str)) -> Client {
    cluster.stop(Stop::Fast);
    cluster.configure(&[setting]);
    cluster.begin();
    database.connect()
}

#[test]
fn a_new_queue_is_well_and_a_hint_is_given_only_where_it_helps() {
    let cluster = Cluster::start(&[]);
    let mut session = cluster.database().connect();
    until("the worker is there", || health(&mut session, "background worker").ok.then_some(()));
    let others = "SELECT count(*) FROM pgq.health() WHERE NOT ok OR detail IS NULL OR hint IS NOT NULL";
    assert_eq!(value::<i64>(&mut session, others, &[]), 0);
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/health.md");
    let page = read_to_string(page).unwrap();
    let all = checks(&mut session);
    assert!(all.len() > 15, "{all:?}");
    for check in all {
        let is_told =
            |line: &str| line.starts_with("| `") && line.split('|').nth(1).unwrap().contains(&format!("`{check}`"));
        assert!(page.lines().any(is_told), "docs/health.md lacks {check}");
    }
}

#[test]
fn a_monitor_sees_what_a_superuser_sees() {
    let database = database();
    let mut session = database.connect();
    let mut holder = database.connect();
    run(&mut holder, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    let role = format!("monitor_of_{}", database.name);
    run(&mut session, &format!("CREATE ROLE {role}; SELECT pgq.grant_monitor('{role}')"));
    let all = checks(&mut session);
    run(&mut session, &format!("SET ROLE {role}"));
    assert_eq!(checks(&mut session), all);
    let row = health(&mut session, "oldest snapshot");
    assert!(row.detail.contains(&format!("process {} (user postgres", process(&mut holder))), "{row:?}");
}

#[test]
fn without_preload_it_says_which_line_to_add() {
    let cluster = Cluster::start(&[("shared_preload_libraries", "")]);
    let database = cluster.database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 1);
    let row = health(&mut session, "preload");
    says(&row, "not preloaded", "shared_preload_libraries = 'pgqueuer'");
    // The rest of it needs no memory.
    assert!(health(&mut session, "oldest due job").detail.contains("job 1 of entrypoint 'fetch'"));
    assert!(health(&mut session, "log retention").ok && health(&mut session, "failed jobs").ok);
    let mut session = restart_with(&cluster, &database, ("shared_preload_libraries", "pgqueuer"));
    assert!(health(&mut session, "preload").ok);
}

#[test]
fn a_standby_says_so_also_where_its_tables_are_not_there() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut on_primary = database.connect();
    enqueue(&mut on_primary, "fetch", 1);
    let standby = Cluster::standby_of(&primary);
    let mut session = standby.connect(&database.name);
    let row = health(&mut session, "preload");
    assert!(row.ok && row.detail == "this is a standby", "{row:?}");
    assert!(health(&mut session, "oldest due job").detail.contains("job 1 of"), "its row is read");
    run(&mut on_primary, "SELECT pgq.set_durability('volatile')");
    until("the standby has followed", || {
        let unlogged = "SELECT relpersistence = 'u' FROM pg_class WHERE oid = 'pgq.job'::regclass";
        value::<bool>(&mut session, unlogged, &[]).then_some(())
    });
    assert!(health(&mut session, "preload").ok);
    assert!(!checks(&mut session).contains(&"oldest due job".to_owned()));
}

#[test]
fn another_version_of_the_extension_is_named() {
    let database = database();
    let mut session = database.connect();
    let library: String = value(&mut session, "SELECT pgq.library_version()", &[]);
    run(&mut session, "UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'pgqueuer'");
    says(
        &health(&mut session, "version"),
        &format!("extension 0.0.9, library {library}"),
        "ALTER EXTENSION pgqueuer UPDATE",
    );
    // There is no earlier version to update from: by hand.
    run(&mut session, &format!("UPDATE pg_extension SET extversion = '{library}' WHERE extname = 'pgqueuer'"));
    assert!(health(&mut session, "version").ok);
}

#[test]
fn a_full_table_in_memory_says_which_setting_to_raise() {
    let small =
        [("pgqueuer.max_claims", "64"), ("pgqueuer.max_named_workers", "16"), ("pgqueuer.max_entrypoints", "16")];
    let cluster = Cluster::start(&small);
    let database = cluster.database();
    let mut session = database.connect();
    for check in ["claims", "named workers", "entrypoints"] {
        assert!(health(&mut session, check).ok, "{check}");
    }
    enqueue(&mut session, "fetch", 100);
    dequeue(&mut session, "fetch", 100);
    run(
        &mut session,
        "SELECT pgq.heartbeat(('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid) FROM generate_series(1, 16) AS i",
    );
    run(&mut session, "SELECT pgq.enqueue('entrypoint ' || i) FROM generate_series(1, 40) AS i");
    run(&mut session, "SELECT FROM generate_series(1, 40) AS i, pgq.dequeue(ARRAY['entrypoint ' || i])");
    for (check, setting) in [("claims", small[0]), ("named workers", small[1]), ("entrypoints", small[2])] {
        says(&health(&mut session, check), &format!(" of {}", setting.1), &format!("Raise {} and restart", setting.0));
        session = restart_with(&cluster, &database, (setting.0, "1000"));
        assert!(health(&mut session, check).ok, "{check}");
        // What was full is full again after the restart, but for this one.
        if check == "claims" {
            run(
                &mut session,
                "SELECT pgq.heartbeat(('00000000-0000-0000-0000-' || lpad(i::text, 12, '0'))::uuid) FROM generate_series(1, 16) AS i",
            );
        }
        run(&mut session, "SELECT pgq.enqueue('entrypoint ' || i) FROM generate_series(1, 40) AS i");
        run(&mut session, "SELECT FROM generate_series(1, 40) AS i, pgq.dequeue(ARRAY['entrypoint ' || i])");
    }
}

#[test]
fn a_job_that_nobody_takes_is_named() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "INSERT INTO pgq.jobs (entrypoint, created) VALUES ('fetch', now() - interval '20 min')");
    enqueue(&mut session, "parse", 2);
    run(&mut session, "SELECT pgq.pause('fetch')");
    let row = health(&mut session, "oldest due job");
    says(&row, "job 1 of entrypoint 'fetch', which is paused, due since 2", "SELECT pgq.resume('fetch').");
    run(&mut session, "SELECT pgq.resume('fetch')");
    let row = health(&mut session, "oldest due job");
    says(&row, "job 1 of entrypoint 'fetch', due since 2", "Start workers of that entrypoint. SELECT pgq.explain(1)");
    assert_eq!(dequeue(&mut session, "fetch", 1), [1]);
    let row = health(&mut session, "oldest due job");
    assert!(row.ok && row.detail.contains("job 2 of entrypoint 'parse', due since 2"), "{row:?}");
    // Deferred jobs wait for nobody, held ones neither.
    run(&mut session, "SELECT pgq.finish('{1}', '{failed}'), pgq.clear(), pgq.enqueue('fetch', delay => '1 h')");
    assert_eq!(health(&mut session, "oldest due job").detail, "none waits");
}

/// Buffers that a statement touches.
fn cost(session: &mut Client, sql: &str) -> i64 {
    let explained: Value = value(session, &format!("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}"), &[]);
    ["Shared Hit Blocks", "Shared Read Blocks"].iter().map(|kind| explained[0]["Plan"][kind].as_i64().unwrap()).sum()
}

/// Whatever the statistics say of the table, and however many jobs are held or deferred or of a priority of their own.
#[test]
fn it_reads_little_of_a_large_queue() {
    let cluster = Cluster::start(&[("autovacuum", "off"), ("shared_buffers", "256MB")]);
    let mut session = cluster.database().connect();
    run(&mut session, "ANALYZE pgq.job");
    let fill = "INSERT INTO pgq.job (id, created, due, execute_after, entrypoint, priority, held)
        SELECT nextval('pgq.job_id_seq'), now(), CASE i % 3 WHEN 0 THEN 'infinity' WHEN 1 THEN now() + interval '1 h' ELSE now() END, now(),
               'entrypoint ' || i % 8, CASE WHEN i % 7 = 0 THEN i ELSE 0 END, i % 3 = 0
          FROM generate_series(1, 200000) AS i";
    run(&mut session, fill);
    for state in ["an ANALYZE of the empty queue", "an ANALYZE of the full one"] {
        cost(&mut session, "SELECT * FROM pgq.health()");
        let buffers = cost(&mut session, "SELECT * FROM pgq.health()");
        println!("after {state}: {buffers} buffers");
        assert!(buffers < 20_000, "after {state}: {buffers} buffers");
        run(&mut session, "VACUUM ANALYZE pgq.job");
    }
    let row = health(&mut session, "failed jobs");
    assert!(row.detail.starts_with("1000 or more held, the oldest since 2"), "{row:?}");
}

#[test]
fn failed_jobs_that_should_have_gone_are_told_of() {
    let cluster = Cluster::start(&[("pgqueuer.enabled", "off"), ("pgqueuer.failed_retention", "1h")]);
    let mut session = cluster.database().connect();
    let ids = enqueue(&mut session, "fetch", 2);
    dequeue(&mut session, "fetch", 2);
    run(&mut session, "SELECT pgq.finish('{1,2}', '{failed,failed}')");
    let row = health(&mut session, "failed jobs");
    assert!(
        row.ok
            && row.detail.starts_with("2 held, the oldest since 2")
            && row.detail.ends_with(", and kept for 01:00:00"),
        "{row:?}"
    );
    run(&mut session, "UPDATE pgq.job SET execute_after = now() - interval '2 h' WHERE id = 2");
    says(&health(&mut session, "failed jobs"), "2 held, the oldest since 2", "See the check \"background worker\"");
    says(&health(&mut session, "background worker"), "", "pgqueuer.enabled");
    run(&mut session, "ALTER SYSTEM SET pgqueuer.enabled = on");
    run(&mut session, "SELECT pg_reload_conf()");
    until_row(&mut session, ALL, "failed jobs", true);
    assert_eq!(column::<i64>(&mut session, "SELECT id FROM pgq.jobs", &[]), ids[..1]);
}

/// A table of the log should have gone two days ago.
fn overdue(session: &mut Client) {
    run(
        session,
        "INSERT INTO pgq.log_ring (current, since, left_at) VALUES (6, now(), ARRAY[NULL, NULL, NULL, now() - interval '3 days'])",
    );
    let row = "INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, created, finished, slot)
               VALUES (1, 'fetch', 0, 0, 'successful', now() - interval '4 days', now() - interval '3 days', 3)";
    run(session, row);
}

/// Waits for it without a look at the log itself: who looks again and again is in the way, too.
fn until_emptied(session: &mut Client) {
    let emptied = "SELECT left_at[4] IS NULL FROM pgq.log_ring";
    until("the log is emptied", || value::<bool>(session, emptied, &[]).then_some(()));
}

fn is_in_the_way(opens: &str, who: impl Fn(&mut Client) -> (String, String)) {
    let cluster = Cluster::start(&[("pgqueuer.log_retention", "0"), ("max_prepared_transactions", "5")]);
    let database = cluster.database();
    let (mut session, mut other) = (database.connect(), database.connect());
    assert_eq!(health(&mut session, "log retention").detail, "kept for ever");
    overdue(&mut session);
    run(&mut other, opens);
    run(&mut session, "ALTER SYSTEM SET pgqueuer.log_retention = '1d'");
    run(&mut session, "SELECT pg_reload_conf()");
    let row = until_row(&mut session, ALL, "log retention", false);
    let (name, remedy) = who(&mut other);
    says(&row, "pgq.job_log_3 should have gone at 2", "");
    says(&row, &format!(", is read by {name}"), &remedy);
    run(&mut session, &remedy);
    until_emptied(&mut session);
    assert!(health(&mut session, "log retention").ok);
}

#[test]
fn a_reader_of_the_log_that_keeps_it_from_being_emptied_is_named() {
    is_in_the_way("SET application_name = 'a long look'; BEGIN; SELECT count(*) FROM pgq.job_log", |other| {
        let process = process(other);
        let name =
            format!("process {process} (user postgres, application \"a long look\", idle in transaction since 2");
        (name, format!("SELECT pg_terminate_backend({process})"))
    });
}

#[test]
fn a_prepared_transaction_that_keeps_the_log_from_being_emptied_is_named() {
    let opens = "BEGIN; LOCK TABLE pgq.job_log_3 IN ROW EXCLUSIVE MODE; PREPARE TRANSACTION 'slow'";
    is_in_the_way(opens, |_| ("prepared transaction 'slow'".to_owned(), "ROLLBACK PREPARED 'slow'".to_owned()));
}

#[test]
fn a_log_that_nobody_prunes_is_told_of() {
    let cluster = Cluster::start(&[("pgqueuer.enabled", "off")]);
    let mut session = cluster.database().connect();
    assert!(health(&mut session, "log retention").ok);
    run(&mut session, "INSERT INTO pgq.log_ring (current, since) VALUES (2, now() - interval '2 days')");
    says(
        &health(&mut session, "log retention"),
        "pgq.job_log_2 should have gone",
        "See the check \"background worker\"",
    );
    run(&mut session, "ALTER SYSTEM SET pgqueuer.enabled = on");
    run(&mut session, "SELECT pg_reload_conf()");
    until_row(&mut session, ALL, "log retention", true);
}

#[test]
fn a_listener_that_does_not_read_is_named() {
    // Of a server of its own: the queue is one for all its databases.
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let (mut session, mut listener) = (database.connect(), database.connect());
    run(&mut listener, "SET application_name = 'deaf'; LISTEN a");
    run(&mut listener, "BEGIN; SELECT 1");
    run(&mut session, "SELECT pg_notify('a', repeat('x', 7000) || i) FROM generate_series(1, 2000) AS i");
    let function = "pgq.health_of_server(full_enough => 0.0001)";
    let row = row_of(&mut session, function, "notification queue");
    let process = process(&mut listener);
    let who =
        format!("waits perhaps for process {process} (user postgres, application \"deaf\", database {}", database.name);
    says(&row, &who, &format!("SELECT pg_terminate_backend({process})"));
    assert!(health(&mut session, "notification queue").ok);
    run(&mut session, &format!("SELECT pg_terminate_backend({process})"));
    // Who notifies next cleans up.
    until("the queue is read", || {
        run(&mut session, "NOTIFY a");
        row_of(&mut session, function, "notification queue").ok.then_some(())
    });
}

#[test]
fn a_role_whose_sessions_are_ended_when_they_wait_is_named() {
    let database = database();
    let mut session = database.connect();
    assert!(health(&mut session, "idle_session_timeout").ok);
    if major() < 14 {
        return; // There is no such setting.
    }
    let role = format!("worker_of_{}", database.name);
    run(
        &mut session,
        &format!(
            "CREATE ROLE {role}; ALTER ROLE {role} IN DATABASE {} SET idle_session_timeout = '5min'",
            database.name
        ),
    );
    let row = health(&mut session, "idle_session_timeout");
    says(&row, &format!("5min for role {role} in this database"), "SET idle_session_timeout = 0");
    run(&mut session, &format!("ALTER ROLE {role} IN DATABASE {} SET idle_session_timeout = 0", database.name));
    assert!(health(&mut session, "idle_session_timeout").ok);
    run(&mut session, "SET idle_session_timeout = '1h'");
    says(&health(&mut session, "idle_session_timeout"), "1h for this session", "Set it to 0");
    run(&mut session, "SET idle_session_timeout = 0");
    assert!(health(&mut session, "idle_session_timeout").ok);
}
