//! What waits, what ended, who works: lists of what goes on.

use crate::pgq::pgq;
use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use serde_json::json;

const WORKER: &str = "7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11";

#[test]
fn the_backlog_says_what_waits_and_why() {
    let database = database();
    let mut session = database.connect();
    assert_eq!(pgq(&database, &["backlog"]).ok(), "Nothing waits.\n");
    run(
        &mut session,
        "SELECT pgq.configure('limited', concurrency_limit => 1); SELECT pgq.configure('rated', rate_limit => 1, rate_period => '1 h')",
    );
    for name in ["limited", "rated", "lonely"] {
        enqueue(&mut session, name, 3);
    }
    run(&mut session, "SELECT pgq.enqueue('later', delay => '1 h'); SELECT pgq.pause('paused')");
    assert_eq!((dequeue(&mut session, "limited", 3).len(), dequeue(&mut session, "rated", 3).len()), (1, 1));
    let rows = pgq(&database, &["backlog", "--json"]).json();
    let of = |name: &str| rows.as_array().unwrap().iter().find(|row| row["entrypoint"] == name).unwrap().clone();
    assert_eq!(of("limited")["why"], "its limit of 1 is reached");
    assert_eq!((&of("limited")["due"], &of("limited")["picked"]), (&json!(2), &json!(1)));
    assert_eq!(of("rated")["why"], "at most 1 in 1 h");
    assert_eq!(of("lonely")["why"], "no worker has one: does any run?");
    assert!(of("lonely")["wait_seconds"].is_number());
    assert_eq!((&of("later")["deferred"], &of("later")["why"]), (&json!(1), &json!(null)));
    assert_eq!(of("paused")["why"], "paused: pgq resume");
    assert_eq!(pgq(&database, &["backlog", "later", "--json"]).json().as_array().unwrap().len(), 1);
    assert!(pgq(&database, &["backlog"]).ok().starts_with("entrypoint  queued  due"));
}

#[test]
fn the_log_has_what_ended_the_last_one_first() {
    let database = database();
    assert_eq!(pgq(&database, &["log"]).ok(), "Nothing has ended.\n");
    let mut session = database.connect();
    let ids = enqueue(&mut session, "a", 3);
    for id in &ids {
        assert_eq!(dequeue(&mut session, "a", 1), [*id]);
        complete(&mut session, &[*id]);
    }
    run(&mut session, "SELECT pgq.enqueue('b'); SELECT pgq.fail(id, E'boom\\x1b') FROM pgq.dequeue('{b}')");
    pgq(&database, &["cancel", "4"]).ok();
    let log = |args: &[&str]| {
        let rows = pgq(&database, &[&["log", "--json"], args].concat()).json();
        rows.as_array()
            .unwrap()
            .iter()
            .map(|row| (row["job_id"].as_i64().unwrap(), row["outcome"].as_str().unwrap().to_owned()))
            .collect::<Vec<_>>()
    };
    let row = |id: i64, outcome: &str| (id, outcome.to_owned());
    assert_eq!(
        log(&[]),
        [row(4, "canceled"), row(4, "retried"), row(3, "successful"), row(2, "successful"), row(1, "successful")]
    );
    assert_eq!(log(&["-n", "2"]), [row(4, "canceled"), row(4, "retried")]);
    assert_eq!(log(&["a", "-n", "1"]), [row(3, "successful")]);
    assert_eq!(log(&["--outcome", "canceled", "--outcome", "retried"]).len(), 2);
    assert_eq!(log(&["--since", "1 h"]).len(), 5);
    assert_eq!(log(&["--since", "0 s"]), []);
    assert_eq!(log(&["-n", "100000"]).len(), 5);
    let table = pgq(&database, &["log"]).ok();
    assert!(table.contains("boom\\u{1b}") && table.starts_with("finished"), "{table}");
    assert!(pgq(&database, &["log", "--outcome", "queued"]).ends(2).contains("[possible values: successful"));
}

#[test]
fn workers_are_listed_with_what_they_hold() {
    let database = database();
    assert_eq!(pgq(&database, &["workers"]).ok(), "No workers.\n");
    let mut session = database.connect();
    enqueue(&mut session, "a", 2);
    enqueue(&mut session, "b", 1);
    run(&mut session, &format!("SELECT id FROM pgq.dequeue('{{a,b}}', 3, worker => '{WORKER}', lease => '1 h')"));
    enqueue(&mut session, "a", 1);
    assert_eq!(dequeue(&mut session, "a", 1).len(), 1);
    let rows = pgq(&database, &["workers", "--json"]).json();
    assert_eq!(
        (&rows[0]["worker"], &rows[0]["claims"], &rows[0]["kind"]),
        (&json!(WORKER), &json!(3), &json!("named"))
    );
    assert_eq!((&rows[0]["entrypoints"], &rows[0]["lease_seconds"]), (&json!(["a", "b"]), &json!(3600.0)));
    assert!(rows[0]["left_seconds"].as_f64().unwrap() > 3000.0);
    assert_eq!((&rows[1]["kind"], &rows[1]["entrypoints"]), (&json!("session"), &json!(["a"])));
    assert!(rows[1]["pid"].is_number());
    assert!(pgq(&database, &["workers"]).ok().contains("a, b"));
}

#[test]
fn what_takes_long_and_who_is_late_is_stale() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "a", 2);
    let text = pgq(&database, &["stale"]).ok();
    assert_eq!(text, "No job is held for longer than 5 min.\n\nNo worker is late with its sign of life.\n");
    run(&mut session, &format!("SELECT id FROM pgq.dequeue('{{a}}', 2, worker => '{WORKER}', lease => '20 s')"));
    let stale = || pgq(&database, &["stale", "--threshold", "10 ms", "--json"]).json();
    let jobs = until("both are held for longer", || {
        Some(stale()["jobs"].clone()).filter(|jobs| jobs.as_array().unwrap().len() == 2)
    });
    assert_eq!((&jobs[0]["entrypoint"], &jobs[0]["worker"]), (&json!("a"), &json!(WORKER)));
    assert_eq!(stale()["workers"], json!([]));
    assert!(pgq(&database, &["stale", "--threshold", "10 ms", "-n", "1"]).ok().contains("running"));
    // A lease that is over in a moment: less than a third of it is left before the server takes the jobs back.
    run(&mut session, &format!("SELECT pgq.heartbeat('{WORKER}', '4 s')"));
    let workers = until("the worker is late", || {
        Some(stale()["workers"].clone()).filter(|late| late.as_array().unwrap().len() == 1)
    });
    assert_eq!((&workers[0]["worker"], &workers[0]["claims"]), (&json!(WORKER), &json!(2)));
    assert!(pgq(&database, &["stale", "--threshold", "now"]).ends(2).contains("--threshold <LENGTH>"));
}

#[test]
fn health_says_what_is_wrong_and_what_to_do() {
    let database = database();
    let well = pgq(&database, &["health", "--json"]);
    let checks: serde_json::Value = serde_json::from_str(&well.out).unwrap();
    assert!(checks.as_array().unwrap().iter().any(|row| row["check"] == "preload" && row["ok"] == true), "{checks}");
    let mut session = database.connect();
    enqueue(&mut session, "old", 1);
    run(&mut session, "UPDATE pgq.job SET created = now() - interval '1 h', due = now() - interval '1 h'");
    let bad = pgq(&database, &["health", "--problems"]);
    assert!(bad.code == 1 && bad.out.contains("oldest due job") && !bad.out.contains("preload"), "{bad:?}");
    assert!(
        bad.err.contains("oldest due job: job 1 of entrypoint 'old', due since ")
            && bad.err.contains(". Start workers"),
        "{bad:?}"
    );
    let json = pgq(&database, &["health", "--problems", "--json"]);
    assert!(json.code == 1 && json.out.contains("\"hint\":\"Start workers"), "{json:?}");
}
