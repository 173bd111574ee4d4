//! A good guest: what other statements of the server say and do is as it was, whatever the session has set.

use pgqueuer_e2e::ask::{dequeue, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{database, empty_database};
use postgres::error::ErrorPosition;

#[test]
fn errors_of_utility_statements_keep_position_context_and_constraint() {
    let database = empty_database();
    let mut session = database.connect();
    let unknown_type = refused(session.batch_execute("CREATE TABLE t (id inte)"));
    assert!(matches!(unknown_type.position(), Some(ErrorPosition::Original(_))), "{unknown_type:?}");
    let in_block = refused(session.batch_execute("DO $$ BEGIN PERFORM 1 / 0; END $$"));
    assert!(in_block.where_().is_some_and(|context| context.contains("line 1 at PERFORM")), "{in_block:?}");
    run(&mut session, "CREATE TABLE t (id int); INSERT INTO t VALUES (1), (1)");
    let broken = refused(session.batch_execute("ALTER TABLE t ADD CONSTRAINT once UNIQUE (id)"));
    assert_eq!((broken.table(), broken.constraint()), (Some("t"), Some("once")));
}

#[test]
fn settings_of_the_session_change_no_plan_of_ours() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 20_000);
    let off = "SET plan_cache_mode = force_custom_plan; SET enable_indexscan = off; SET enable_indexonlyscan = off;
               SET enable_nestloop = off";
    run(&mut session, off);
    dequeue(&mut session, "fetch", 1);
    let explain = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM pgq.dequeue('{fetch}', 10)";
    let explained: serde_json::Value = value(&mut session, explain, &[]);
    let buffers = explained[0]["Plan"]["Shared Hit Blocks"].as_i64();
    assert!(buffers.is_some_and(|buffers| buffers < 150), "{buffers:?} buffers");
}

#[test]
fn an_insert_in_the_role_of_a_replica_enqueues_too() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SET session_replication_role = replica");
    let inserted = "INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch') RETURNING id";
    assert_eq!(value::<i64>(&mut session, inserted, &[]), 1);
    assert_eq!(dequeue(&mut session, "fetch", 1), [1]);
}
