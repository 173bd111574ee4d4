//! Each tool that changes something does so, and nothing else.

use crate::assistant::Assistant;
use crate::pgq::pgq;
use pgqueuer_e2e::ask::{column, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use serde_json::json;

fn states(database: &Database) -> Vec<String> {
    column(&mut database.connect(), "SELECT id || ' ' || status FROM pgq.jobs ORDER BY id", &[])
}

#[test]
fn jobs_are_requeued_and_canceled() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "mail", 3);
    dequeue(&mut session, "mail", 2);
    run(&mut session, "SELECT pgq.finish('{1}', '{failed}')");
    let mut assistant = Assistant::start(&database, &["--allow-changes"]);
    assert_eq!(states(&database), ["1 failed", "2 picked", "3 queued"]);
    let told = assistant.call("requeue", json!({ "ids": [1, 2, 77] })).ok();
    assert_eq!(told, json!({ "changed": [1], "left_out": [2, 77] }));
    assert_eq!(states(&database), ["1 queued", "2 picked", "3 queued"]);
    let told = assistant.call("cancel", json!({ "ids": [2, 3, 3] })).ok();
    assert_eq!(told, json!({ "changed": [2, 3], "left_out": [] }));
    assert_eq!(states(&database), ["1 queued"]);
    let ended: i64 = value(&mut session, "SELECT count(*) FROM pgq.job_log WHERE outcome = 'canceled'", &[]);
    assert_eq!(ended, 2);
}

#[test]
fn entrypoints_and_schedules_are_paused_and_resumed() {
    let database = database();
    pgq(&database, &["schedules", "add", "report", "@daily"]).ok();
    let mut session = database.connect();
    let mut paused = |sql: &str| -> bool { value(&mut session, sql, &[]) };
    let (entrypoint, schedule) = (
        "SELECT coalesce(bool_or(paused), false) FROM pgq.entrypoints WHERE entrypoint = 'mail'",
        "SELECT NOT enabled FROM pgq.schedules WHERE name = 'report'",
    );
    let mut assistant = Assistant::start(&database, &["--allow-changes"]);
    for (tool, arguments, sql, after) in [
        ("pause", json!({ "entrypoint": "mail" }), entrypoint, true),
        ("resume", json!({ "entrypoint": "mail" }), entrypoint, false),
        ("pause_schedule", json!({ "name": "report" }), schedule, true),
        ("resume_schedule", json!({ "name": "report" }), schedule, false),
    ] {
        assert_ne!(paused(sql), after, "{tool}");
        assert_eq!(assistant.call(tool, arguments.clone()).ok(), json!({ "changed": true }), "{tool}");
        assert_eq!(paused(sql), after, "{tool}");
        assert_eq!(assistant.call(tool, arguments).ok(), json!({ "changed": false }), "{tool}");
    }
    assert_eq!(assistant.call("pause_schedule", json!({ "name": "nothing" })).ok(), json!({ "changed": false }));
}

#[test]
fn an_application_changes_only_its_own() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "crm.mail", 1);
    enqueue(&mut session, "shop.mail", 1);
    let mut assistant = Assistant::start(&database, &["--allow-changes", "--prefix", "shop."]);
    assert_eq!(assistant.call("cancel", json!({ "ids": [1, 2] })).ok(), json!({ "changed": [2], "left_out": [1] }));
    assert_eq!(states(&database), ["1 queued"]);
    assistant.call("pause", json!({ "entrypoint": "mail" })).ok();
    let paused: Vec<String> = column(&mut session, "SELECT entrypoint FROM pgq.entrypoints WHERE paused", &[]);
    assert_eq!(paused, ["shop.mail"]);
}

#[test]
fn a_role_that_may_only_look_is_told_what_it_lacks() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "mail", 1);
    let role = format!("looks_{}", database.name);
    run(&mut session, &format!("CREATE ROLE {role} LOGIN; SELECT pgq.grant_monitor('{role}')"));
    let dsn = database.address().replace("user=postgres", &format!("user={role}"));
    let mut assistant = Assistant::start(&database, &["--allow-changes", "--dsn", &dsn]);
    let refused = assistant.call("cancel", json!({ "ids": [1] })).refused();
    assert!(refused.contains("pgq grant admin"), "{refused}");
    assert_eq!(states(&database), ["1 queued"]);
}
