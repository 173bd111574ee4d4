//! Files of jobs: all of them or none, and the line that is to blame.

use crate::pgq::{Folder, command, fed, pgq};
use pgqueuer_e2e::ask::value;
use pgqueuer_e2e::cluster::{Database, database};
use serde_json::json;
use std::fmt::Write;

fn jobs(database: &Database) -> i64 {
    value(&mut database.connect(), "SELECT count(*) FROM pgq.jobs", &[])
}

/// So many lines that are well, and a last one.
fn lines(count: usize, last: &str) -> String {
    let mut text = String::new();
    for number in 1..=count {
        writeln!(text, r#"{{"entrypoint":"bulk","payload":{{"n":{number}}},"dedupe_key":"k{number}"}}"#).unwrap();
    }
    text + last
}

#[test]
fn thousands_of_lines_are_enqueued_in_their_order() {
    let database = database();
    let folder = Folder::new();
    let file = folder.file("jobs.jsonl", lines(4321, "\n"));
    let said = pgq(&database, &["enqueue", "--from", &file]);
    assert_eq!(
        (said.out.as_str(), said.err.as_str()),
        ("4,321 jobs queued\n", ""),
        "no bar where there is no terminal"
    );
    let ordered: bool = value(
        &mut database.connect(),
        "SELECT bool_and((pgq.payload_json(payload)->>'n')::bigint = id) FROM pgq.jobs WHERE entrypoint = 'bulk'",
        &[],
    );
    assert!(ordered && jobs(&database) == 4321);
    let again = pgq(&database, &["enqueue", "--from", &file, "--on-conflict", "skip", "--json"]).json();
    assert_eq!(again, json!({ "enqueued": 0, "skipped": 4321 }));
}

#[test]
fn an_error_in_the_last_line_says_the_line_and_enqueues_nothing() {
    let database = database();
    let folder = Folder::new();
    let wrong = [
        ("{\"entrypoint\":", "EOF while parsing"),
        ("{\"payload\":1}", "it names no entrypoint"),
        ("{\"entrypoint\":\"x\",\"delay\":\"soon\"}", "delay"),
        // These are for the server to find.
        ("{\"entrypoint\":\"\"}", "must"),
        ("{\"entrypoint\":\"x\",\"dedupe_key\":\"k77\"}", "k77"),
        ("{\"entrypoint\":\"x\",\"execute_after\":\"2026-13-01\"}", "execute_after"),
    ];
    for (last, says) in wrong {
        let file = folder.file("jobs.jsonl", lines(3333, last));
        let error = pgq(&database, &["enqueue", "--from", &file]).ends(1);
        assert!(error.contains(&format!("{file}, line 3334: ")) && error.contains(says), "{last}: {error}");
        assert!(error.contains("detail: Nothing was enqueued."), "{error}");
    }
    let mut bytes = lines(1, "").into_bytes();
    bytes.extend(b"{\"entrypoint\":\"\xff\"}");
    let file = folder.file("jobs.jsonl", bytes);
    assert!(pgq(&database, &["enqueue", "--from", &file]).ends(1).contains("line 2: it is not UTF-8"));
    assert_eq!(jobs(&database), 0);
}

#[test]
fn of_two_mistakes_the_first_is_told() {
    let database = database();
    let mut text = lines(1500, "");
    text = text.replacen("\"k700\"", "\"k3\"", 1);
    let error = fed(command(&database, &["enqueue", "--from", "-"]), (text + "broken").as_bytes()).ends(1);
    assert!(error.contains("standard input, line 700: ") && error.contains("k3"), "{error}");
    assert_eq!(jobs(&database), 0);
}

#[test]
fn with_commit_every_what_stands_before_the_mistake_stays() {
    let database = database();
    let folder = Folder::new();
    let file = folder.file("jobs.jsonl", lines(2500, "broken"));
    let error = pgq(&database, &["enqueue", "--from", &file, "--commit-every", "400"]).ends(1);
    assert!(error.contains("line 2501: ") && error.contains("What stands up to line 2400 is enqueued."), "{error}");
    assert_eq!(jobs(&database), 2400);
}

#[test]
fn csv_has_a_line_of_names() {
    let database = database();
    let folder = Folder::new();
    let file = folder.file(
        "jobs.CSV",
        "entrypoint,payload,priority,headers,delay\n,\"two\nlines, \"\"quoted\"\"\",7,\"{\"\"a\"\": 1}\",1 h\nfetch,,,,\n",
    );
    assert_eq!(pgq(&database, &["enqueue", "mail", "--from", &file]).ok(), "2 jobs queued\n");
    let job = pgq(&database, &["job", "1", "--json"]).json();
    assert_eq!(
        (&job["entrypoint"], &job["priority"], &job["headers"]),
        (&json!("mail"), &json!(7), &json!({ "a": 1 }))
    );
    assert_eq!(job["payload"], "two\nlines, \"quoted\"");
    assert_eq!(pgq(&database, &["job", "2", "--json"]).json()["entrypoint"], "fetch");

    let said =
        fed(command(&database, &["enqueue", "--from", "-", "--format", "csv"]), b"entrypoint,prio\nx,1\n").ends(1);
    assert!(said.contains("line 1: \"prio\" is none of entrypoint, payload"), "{said}");
    let said =
        fed(command(&database, &["enqueue", "x", "--from", "-", "--format", "csv"]), b"payload,priority\na,1\nb,z\n");
    assert!(said.ends(1).contains("line 3: priority is no whole number: z"));
    let said =
        fed(command(&database, &["enqueue", "x", "--from", "-", "--format", "csv"]), b"payload,priority\na,1\nb\n");
    assert!(said.ends(1).contains("line 3: it is no row of CSV"));
    assert_eq!(jobs(&database), 2);
}

#[test]
fn a_file_goes_with_no_option_of_a_single_job() {
    let database = database();
    for option in [["--priority", "3"], ["--payload", "x"], ["--delay", "1 s"], ["--dedupe-key", "k"]] {
        let args = [&["enqueue", "x", "--from", "jobs.jsonl"], option.as_slice()].concat();
        assert!(pgq(&database, &args).ends(2).contains("cannot be used with"), "{option:?}");
    }
    assert!(pgq(&database, &["enqueue", "--from", "/nowhere.jsonl"]).ends(1).contains("--from /nowhere.jsonl"));
    assert_eq!(fed(command(&database, &["enqueue", "--from", "-"]), b"").ok(), "0 jobs queued\n");
    assert_eq!(fed(command(&database, &["enqueue", "--from", "-"]), b"\n\n").ok(), "0 jobs queued\n");
}
