//! Each tool that looks tells what is so.

use crate::assistant::Assistant;
use crate::pgq::pgq;
use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database};
use pgqueuer_e2e::until::until_within;
use serde_json::{Value, json};
use std::time::Duration;

/// Job 1 is done, 2 failed for good, 3 waits to be tried again, 5 waits; 6 is of another application. A worker holds 4 for as
/// long as what is returned lives.
fn work(database: &Database) -> impl Sized + use<> {
    let mut session = database.connect();
    assert_eq!(enqueue(&mut session, "mail", 5), [1, 2, 3, 4, 5]);
    run(&mut session, "SELECT pgq.configure('mail', max_attempts => 2, backoff_initial => '1 h')");
    assert_eq!(dequeue(&mut session, "mail", 4), [1, 2, 3, 4]);
    complete(&mut session, &[1]);
    run(
        &mut session,
        "SELECT pgq.finish('{2}', '{failed}', ARRAY['\"no such host\"'::jsonb]), pgq.fail(3, 'try again')",
    );
    let sync = "SELECT pgq.enqueue('crm.sync', '{\"a\": 1}', priority => 3, headers => '{\"trace\": \"x\"}', ordering_key => 'k')";
    run(&mut session, sync);
    pgq(database, &["schedules", "add", "report", "30 6 * * *", "--entrypoint", "mail"]).ok();
    session
}

/// The row about something.
#[track_caller]
fn of(rows: &[Value], column: &str, wanted: impl Into<Value>) -> Value {
    let wanted = wanted.into();
    rows.iter().find(|row| row[column] == wanted).cloned().unwrap_or_else(|| panic!("{column} {wanted}: {rows:?}"))
}

#[test]
fn what_waits_is_told_by_its_size_its_age_and_job_by_job() {
    let database = database();
    let _held = work(&database);
    let mut assistant = Assistant::start(&database, &[]);
    let sizes = assistant.call("queue_size", json!({})).rows();
    let mut session = database.connect();
    for (status, count) in [("queued", 2), ("picked", 1), ("failed", 1)] {
        let mail: Vec<&Value> =
            sizes.iter().filter(|row| row["entrypoint"] == "mail" && row["status"] == status).collect();
        assert_eq!(
            (mail.len(), &mail[0]["count"], &mail[0]["at_least"]),
            (1, &count.into(), &false.into()),
            "{status}"
        );
        let there: i64 = value(
            &mut session,
            "SELECT count FROM pgq.queue_size() WHERE entrypoint = 'mail' AND status::text = $1",
            &[&status],
        );
        assert_eq!(there, count);
    }
    assert_eq!(of(&sizes, "entrypoint", "crm.sync")["priority"], 3);

    let age = of(&assistant.call("queue_age", json!({})).rows(), "entrypoint", "mail");
    assert_eq!([&age["due"], &age["deferred"], &age["in_flight"], &age["failed"]], [1; 4], "{age}");
    assert!(age["oldest_due_seconds"].as_f64().unwrap() > 0.0 && age["paused"] == false);

    let jobs = assistant.call("queue_table_info", json!({})).rows();
    let ids: Vec<i64> = jobs.iter().map(|job| job["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [6, 5, 4, 3, 2]);
    assert_eq!(jobs[0]["payload_start"], json!({ "kind": "text", "beginning": "{\"a\": 1}" }));
    assert_eq!([&jobs[2]["status"], &jobs[4]["status"]], ["picked", "failed"]);
    let some = assistant.call("queue_table_info", json!({ "limit": 2, "offset": 1 })).ok();
    assert_eq!([&some["rows"][0]["id"], &some["rows"][1]["id"]], [5, 4]);
    assert_eq!(some["maybe_more"], true);
}

#[test]
fn what_ended_is_told_one_by_one_by_minute_and_by_entrypoint() {
    let database = database();
    let _held = work(&database);
    let mut assistant = Assistant::start(&database, &[]);
    let log = assistant.call("queue_log", json!({})).rows();
    assert_eq!(log.len(), 3);
    assert_eq!(of(&log, "job_id", 1)["outcome"], "successful");
    assert_eq!(
        (&of(&log, "job_id", 3)["outcome"], &of(&log, "job_id", 3)["error"]),
        (&"retried".into(), &"try again".into())
    );
    let failed = assistant.call("queue_log", json!({ "outcome": "failed", "entrypoint": "mail", "limit": 1 })).rows();
    assert_eq!(failed[0]["job_id"], 2);
    assert!(assistant.call("queue_log", json!({ "entrypoint": "crm.sync" })).rows().is_empty());

    let stats = assistant.call("queue_stats", json!({ "period": "PT10M" })).rows();
    assert_eq!(stats.iter().map(|row| row["count"].as_i64().unwrap()).sum::<i64>(), 3);
    let summary = assistant.call("throughput_summary", json!({ "period": "P1D" })).rows();
    assert_eq!(summary.len(), 1);
    assert_eq!((&summary[0]["ended"], &summary[0]["given_up"]), (&3.into(), &1.into()));
    assert_eq!(summary[0]["outcomes"], json!({ "successful": 1, "failed": 1, "retried": 1 }));

    let held = assistant.call("failed_jobs", json!({})).rows();
    assert_eq!((held.len(), &held[0]["id"], &held[0]["error"]), (1, &2.into(), &"no such host".into()));
    // Of a period in which nothing ended.
    run(&mut database.connect(), "UPDATE pgq.job_log SET finished = finished - interval '1 h'");
    assert!(assistant.call("queue_stats", json!({ "period": "PT30M" })).rows().is_empty());
}

#[test]
fn workers_what_hangs_schedules_health_and_versions_are_told() {
    let database = database();
    let _held = work(&database);
    let mut assistant = Assistant::start(&database, &[]);
    let workers = assistant.call("active_workers", json!({})).rows();
    assert_eq!(
        (workers.len(), &workers[0]["kind"], &workers[0]["jobs"]),
        (1, &"session".into(), &1.into()),
        "{workers:?}"
    );
    assert_eq!(workers[0]["entrypoints"], json!(["mail"]));
    assert!(assistant.call("stale_jobs", json!({})).rows().is_empty());
    let stale = assistant.call("stale_jobs", json!({ "threshold": "PT0.001S" })).rows();
    assert_eq!((stale.len(), &stale[0]["id"]), (1, &4.into()));
    let schedules = assistant.call("schedules", json!({})).rows();
    assert_eq!((&schedules[0]["name"], &schedules[0]["cron"]), (&"report".into(), &"30 6 * * *".into()));
    let health = assistant.call("health", json!({})).rows();
    assert_eq!(of(&health, "check", "preload")["ok"], true);
    let info = assistant.call("schema_info", json!({})).ok();
    assert_eq!(
        (&info["versions"]["extension"], &info["durability"]),
        (&env!("CARGO_PKG_VERSION").into(), &"durable".into())
    );
    assert!(of(info["tables"].as_array().unwrap(), "name", "pgq.job")["bytes"].as_i64().unwrap() > 0);
}

#[test]
fn a_job_is_explained_with_everything_known_of_it() {
    let database = database();
    let _held = work(&database);
    let mut assistant = Assistant::start(&database, &[]);
    let waits = assistant.call("explain", json!({ "id": 6 })).ok();
    assert!(waits["explanation"].as_str().unwrap().starts_with("Job 6 "), "{waits}");
    assert_eq!((&waits["headers"], &waits["ordering_key"]), (&"{\"trace\": \"x\"}".into(), &"k".into()));
    let failed = assistant.call("explain", json!({ "id": 2 })).ok();
    assert_eq!((&failed["status"], &failed["ends"][0]["error"]), (&"failed".into(), &"no such host".into()));
    // One that is gone is known by the log.
    let done = assistant.call("explain", json!({ "id": 1 })).ok();
    assert_eq!((&done["status"], &done["ends"][0]["outcome"]), (&"successful".into(), &"successful".into()));
    assert!(assistant.call("explain", json!({ "id": i64::MAX })).refused().contains("No job"));
}

#[test]
fn an_application_is_told_of_its_own_under_their_short_names() {
    let database = database();
    let _held = work(&database);
    let mut assistant = Assistant::start(&database, &["--prefix", "crm."]);
    for tool in ["queue_size", "queue_table_info", "queue_age"] {
        let rows = assistant.call(tool, json!({})).rows();
        assert_eq!((rows.len(), &rows[0]["entrypoint"]), (1, &"sync".into()), "{tool}");
    }
    for tool in ["failed_jobs", "queue_log", "queue_stats", "throughput_summary", "active_workers", "schedules"] {
        assert!(assistant.call(tool, json!({})).rows().is_empty(), "{tool}");
    }
    assert_eq!(assistant.call("explain", json!({ "id": 6 })).ok()["entrypoint"], "sync");
    assert!(assistant.call("explain", json!({ "id": 5 })).refused().contains("No job 5"));
    assert!(assistant.call("stale_jobs", json!({ "threshold": "PT0.001S" })).rows().is_empty());
}

#[test]
fn a_long_queue_is_counted_up_to_a_bound() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue_many_text('{long}', array_fill('x'::text, ARRAY[10500]))");
    run(&mut session, "SELECT pgq.enqueue('short')");
    let mut assistant = Assistant::start(&database, &[]);
    let sizes = assistant.call("queue_size", json!({})).rows();
    let long = of(&sizes, "entrypoint", "long");
    assert_eq!((&long["count"], &long["at_least"]), (&10_000.into(), &true.into()));
    assert_eq!(of(&sizes, "entrypoint", "short")["at_least"], false);
}

#[test]
fn a_database_that_is_away_is_an_error_of_the_call_and_comes_back() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let port = database.host_and_port().1.to_string();
    let mut assistant = Assistant::start(&database, &[]);
    assistant.call("queue_size", json!({})).ok();
    cluster.stop(Stop::Immediate);
    for _ in 0..3 {
        let refused = assistant.call("queue_size", json!({})).refused();
        assert!(
            refused.contains("cannot be reached") && !refused.contains(&port) && !refused.contains("127."),
            "{refused}"
        );
    }
    cluster.begin();
    until_within(Duration::from_secs(20), "it is back", || {
        (!assistant.call("queue_size", json!({})).is_error).then_some(())
    });
    let (code, out, err) = assistant.end();
    assert_eq!((code, out.as_str()), (Some(0), ""));
    assert!(err.contains("connection"), "{err}");
}

#[test]
fn what_takes_long_is_given_up_and_what_is_not_allowed_is_told_with_its_hint() {
    let database = database();
    let mut locker = database.connect();
    run(&mut locker, "BEGIN; LOCK TABLE pgq.job_log");
    let mut assistant = Assistant::start(&database, &["--timeout", "1"]);
    let refused = assistant.call("queue_log", json!({})).refused();
    assert!(refused.contains("in time") || refused.contains("Try again"), "{refused}");
    run(&mut locker, "ROLLBACK");
    assistant.call("queue_log", json!({})).ok();

    let role = format!("nobody_{}", database.name);
    run(&mut locker, &format!("CREATE ROLE {role} LOGIN"));
    let dsn = database.address().replace("user=postgres", &format!("user={role}"));
    let mut stranger = Assistant::start(&database, &["--dsn", &dsn]);
    let refused = stranger.call("queue_size", json!({})).refused();
    assert!(refused.contains("pgq grant monitor") && !refused.contains(&role), "{refused}");
    run(&mut locker, &format!("SELECT pgq.grant_monitor('{role}')"));
    for tool in [
        "queue_size",
        "queue_table_info",
        "queue_stats",
        "throughput_summary",
        "failed_jobs",
        "queue_log",
        "schedules",
        "stale_jobs",
        "active_workers",
        "queue_age",
        "schema_info",
        "health",
    ] {
        stranger.call(tool, json!({})).ok();
    }
    let none = pgqueuer_e2e::cluster::empty_database();
    assert!(Assistant::start(&none, &[]).call("queue_size", json!({})).refused().contains("pgq install"));
}
