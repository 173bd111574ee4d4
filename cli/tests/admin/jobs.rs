//! Lists of jobs, one of them, and what is done to them.

use crate::pgq::{command, pgq};
use pgqueuer_e2e::ask::{dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use serde_json::{Value, json};

fn ids(list: &Value) -> Vec<i64> {
    list.as_array().unwrap().iter().map(|row| row["id"].as_i64().unwrap()).collect()
}

/// Jobs of `f` that were given up.
fn fail(database: &Database, count: i32) -> Vec<i64> {
    let session = &mut database.connect();
    run(session, "SELECT pgq.configure('f', max_attempts => 1)");
    let ids = enqueue(session, "f", count);
    let failed: i64 =
        value(session, "SELECT count(pgq.fail(id, 'no route to host')) FROM pgq.dequeue('{f}', $1)", &[&count]);
    assert_eq!(failed, i64::from(count));
    ids
}

#[test]
fn jobs_come_in_the_order_in_which_they_are_handed_out() {
    let database = database();
    for (name, more) in
        [("a", ["--priority", "0"]), ("b", ["--priority", "5"]), ("a", ["--delay", "1 h"]), ("c", ["--priority", "-1"])]
    {
        pgq(&database, &["enqueue", name, more[0], more[1]]).ok();
    }
    let mut session = database.connect();
    let failed = fail(&database, 1);
    assert_eq!(dequeue(&mut session, "b", 1), [2]);
    let list = |args: &[&str]| ids(&pgq(&database, &[&["jobs", "--json"], args].concat()).json());
    assert_eq!(list(&[]), [2, 1, 3, failed[0], 4]);
    assert_eq!(list(&["-n", "2"]), [2, 1]);
    assert_eq!(list(&["a", "c"]), [1, 3, 4]);
    assert_eq!(list(&["--status", "picked"]), [2]);
    assert_eq!(list(&["--status", "failed"]), failed);
    assert_eq!(list(&["--status", "queued", "-n", "2"]), [1, 3]);
    assert_eq!(list(&["--status", "queued", "--status", "failed"]), [1, 3, failed[0], 4]);
    assert_eq!(list(&["--status", "picked", "a"]), Vec::<i64>::new());
    let table = pgq(&database, &["jobs"]).ok();
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines[0].starts_with("id  entrypoint  status"), "{table}");
    assert!(lines[1].contains(" 2  b           picked") && lines.len() == 6, "{table}");
    assert!(!table.contains("dedupe_key"), "a column in which there is nothing is left out: {table}");
    assert!(pgq(&database, &["jobs", "-n", "0"]).ends(2).contains("--limit"));
    assert!(
        pgq(&database, &["jobs", "--status", "lost"]).ends(2).contains("[possible values: queued, picked, failed]")
    );
}

#[test]
fn one_job_is_told_with_all_that_is_known_of_it() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('mail', payload_jsonb => '{\"to\": [1]}', headers => '{\"trace\": \"x\"}')");
    run(&mut session, "SELECT pgq.fail(id, 'connection refused') FROM pgq.dequeue('{mail}')");
    let text = pgq(&database, &["job", "1"]).ok();
    for part in [
        "entrypoint     mail",
        "status         queued",
        "Payload (json):\n{\n  \"to\": [\n    1",
        "Headers:\ntrace  x",
        "Attempts:",
        "retried",
        "connection refused",
        "Job 1 waits until",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let job = pgq(&database, &["job", "1", "--json"]).json();
    assert_eq!((&job["id"], &job["attempts"], &job["error"]), (&json!(1), &json!(1), &json!("connection refused")));
    assert_eq!(job["log"][0]["attempt"], 1);
    assert_eq!(pgq(&database, &["job", "1", "--payload"]).ok(), "{\"to\": [1]}");

    // When it has ended, the log knows it.
    pgq(&database, &["cancel", "1"]).ok();
    let job = pgq(&database, &["job", "1", "--json"]).json();
    assert_eq!((&job["status"], job["log"].as_array().unwrap().len()), (&json!("canceled"), 2));
    assert!(job["finished"].is_string() && job["explain"].as_str().unwrap().contains("canceled"), "{job}");
    assert!(pgq(&database, &["job", "1", "--payload"]).ends(1).contains("no job 1 lives"));
    assert!(pgq(&database, &["job", "99"]).ends(1).contains("no job 99 is known"));
    assert!(pgq(&database, &["job", "x"]).ends(2).contains("'x' for '<ID>'"));
}

#[test]
fn bytes_that_are_no_text_are_shown_as_hexadecimal_and_given_out_as_they_are() {
    let database = database();
    run(&mut database.connect(), "SELECT pgq.enqueue('raw', payload_bytes => '\\x00ff0a')");
    assert!(pgq(&database, &["job", "1"]).ok().contains("Payload (bytes):\n00ff0a"));
    assert!(pgq(&database, &["jobs"]).ok().contains("00ff0a"));
    let output = command(&database, &["job", "1", "--payload"]).output().unwrap();
    assert_eq!(output.stdout, [0, 255, 10]);
}

#[test]
fn failed_jobs_are_listed_with_their_errors_and_requeued() {
    let database = database();
    let failed = fail(&database, 3);
    let list = pgq(&database, &["failed", "--json"]).json();
    assert_eq!(ids(&list), failed.iter().rev().copied().collect::<Vec<_>>(), "the last one first");
    assert!(list.as_array().unwrap().iter().all(|row| row["error"] == "no route to host"), "{list}");
    assert!(pgq(&database, &["failed"]).ok().contains("no route to host"));
    assert_eq!(pgq(&database, &["failed", "other"]).ok(), "No failed jobs.\n");

    let first = failed[0].to_string();
    let said = pgq(&database, &["requeue", &first, "99"]);
    assert_eq!((said.code, said.out), (1, format!("1 job requeued: {first}\n")));
    assert_eq!(said.err, "pgq: job 99 is not requeued: not known\n");
    let again = pgq(&database, &["requeue", &first, "--json"]);
    assert_eq!((again.code, again.out.contains("\"status\":\"queued\"")), (1, true), "{again:?}");
    assert_eq!(pgq(&database, &["requeue", "--all", "--entrypoint", "other"]).ok(), "0 jobs requeued\n");
    assert_eq!(pgq(&database, &["requeue", "--all", "--json"]).json(), json!({ "requeued": 2, "left_out": 0 }));
    assert_eq!(pgq(&database, &["failed", "--json"]).json(), json!([]));
    assert!(pgq(&database, &["requeue"]).ends(2).contains("<ID>"));
    assert!(pgq(&database, &["requeue", "--all", "1"]).ends(2).contains("cannot be used with"));
}

#[test]
fn a_failed_job_whose_key_lives_again_is_passed_over() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('f', max_attempts => 1); SELECT pgq.enqueue('f', dedupe_key => 'k')");
    run(&mut session, "SELECT pgq.fail(id) FROM pgq.dequeue('{f}'); SELECT pgq.enqueue('f', dedupe_key => 'k')");
    let one = pgq(&database, &["requeue", "1"]).ends(1);
    assert!(one.contains("failed, and its dedupe key belongs to another job"), "{one}");
    let all = pgq(&database, &["requeue", "--all"]);
    assert!(all.code == 1 && all.out.contains("1 left out, whose dedupe key"), "{all:?}");
}

#[test]
fn more_failed_jobs_than_one_batch_are_all_requeued() {
    let database = database();
    let mut session = database.connect();
    fail(&database, 2345);
    assert_eq!(pgq(&database, &["requeue", "--all"]).ok(), "2,345 jobs requeued\n");
    let left: i64 = value(&mut session, "SELECT count(*) FROM pgq.jobs WHERE status = 'failed'", &[]);
    assert_eq!(left, 0);
}

#[test]
fn cancel_ends_what_delete_leaves_alone() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "a", 4);
    assert_eq!(dequeue(&mut session, "a", 2), [1, 2]);
    let deleted = pgq(&database, &["delete", "1", "3", "3"]);
    assert_eq!((deleted.code, deleted.out.as_str()), (1, "1 job deleted: 3\n"));
    assert_eq!(deleted.err, "pgq: job 1 is not deleted: picked\n");
    assert_eq!(pgq(&database, &["cancel", "1", "4"]).ok(), "2 jobs canceled: 1, 4\n");
    let json = pgq(&database, &["cancel", "2", "3", "--json"]);
    let value: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.code, value), (1, json!({ "canceled": [2], "left_out": [{ "id": 3, "status": "deleted" }] })));
    assert!(pgq(&database, &["cancel"]).ends(2).contains("<ID>"));
    assert!(pgq(&database, &["delete", "one"]).ends(2).contains("'one'"));
}

#[test]
fn clear_removes_what_is_queued_and_asks_before() {
    let database = database();
    let mut session = database.connect();
    for name in ["a", "b", "c"] {
        enqueue(&mut session, name, 2);
    }
    assert_eq!(dequeue(&mut session, "a", 1).len(), 1);
    assert!(pgq(&database, &["clear"]).ends(2).contains("hint: Pass --yes."));
    assert_eq!(pgq(&database, &["clear", "a", "nix", "--yes"]).ok(), "1 job deleted\n");
    assert_eq!(pgq(&database, &["clear", "--yes", "--json"]).json(), json!({ "deleted": 4 }));
    assert_eq!(live(&database), 1, "what a worker holds stays");
}

fn live(database: &Database) -> i64 {
    value(&mut database.connect(), "SELECT count(*) FROM pgq.jobs", &[])
}
