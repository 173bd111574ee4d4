//! Commands that go on: what ends, and what the server tells workers.

use crate::pgq::{Running, command, pgq};
use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::process::{ChildStdout, Stdio};

fn start(database: &Database, args: &[&str]) -> (Running, BufReader<ChildStdout>) {
    let mut child = command(database, args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    (Running(child), output)
}

fn line(output: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    line
}

#[test]
fn the_log_goes_on_and_tells_nothing_twice() {
    let database = database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "a", 40);
    dequeue(&mut session, "a", 40);
    complete(&mut session, &ids[..1]);
    let (_running, mut output) = start(&database, &["log", "--follow", "--json", "a"]);
    let mut told = || serde_json::from_str::<Value>(&line(&mut output)).unwrap()["job_id"].as_i64().unwrap();
    assert_eq!(told(), ids[0], "what has ended before comes first");
    // A transaction that commits late tells of a time that has been looked at already.
    let mut late = database.connect();
    let held = enqueue(&mut late, "a", 1);
    run(&mut late, "BEGIN");
    let claimed = dequeue(&mut late, "a", 1);
    assert_eq!(claimed, held);
    complete(&mut late, &held);
    complete(&mut session, &ids[1..20]);
    let mut seen: Vec<i64> = (0..19).map(|_| told()).collect();
    run(&mut late, "COMMIT");
    complete(&mut session, &ids[20..]);
    seen.extend((0..21).map(|_| told()));
    seen.sort_unstable();
    let mut expected: Vec<i64> = ids[1..].iter().chain(&held).copied().collect();
    expected.sort_unstable();
    assert_eq!(seen, expected);
}

#[test]
fn a_line_of_the_log_is_a_sentence() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('mail'); SELECT pgq.fail(id, E'bo\\x1b[31mom') FROM pgq.dequeue('{mail}')");
    let (_running, mut output) = start(&database, &["log", "-f"]);
    let text = line(&mut output);
    assert!(text.contains("mail 1  retried in ") && text.contains("bo\\u{1b}[31mom"), "{text}");
}

#[test]
fn listen_prints_what_workers_are_told() {
    let database = database();
    let mut session = database.connect();
    assert!(pgq(&database, &["listen"]).ends(2).contains("knows no entrypoint yet"));
    let (mut running, mut output) = start(&database, &["listen", "mail", "--json", "--count", "2"]);
    let listens = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgq' AND datname = current_database() AND query LIKE '%pgq.listen%'";
    until("it listens", || (value::<i64>(&mut session, listens, &[]) == 1).then_some(()));
    enqueue(&mut session, "mail", 1);
    let told: Value = serde_json::from_str(&line(&mut output)).unwrap();
    assert_eq!((&told["entrypoint"], &told["event"], &told["ids"]), (&json!("mail"), &json!("jobs"), &json!([])));
    assert_eq!(dequeue(&mut session, "mail", 1), [1]);
    pgq(&database, &["cancel", "1"]).ok();
    let told: Value = serde_json::from_str(&line(&mut output)).unwrap();
    assert_eq!((&told["event"], &told["ids"]), (&json!("canceled"), &json!([1])));
    assert!(running.0.wait().unwrap().success(), "it ends after two");
    let ended = pgq(&database, &["listen", "--timeout", "10 ms"]);
    assert!(ended.code == 0 && ended.err.contains("Listening to mail."), "{ended:?}");
}

#[test]
fn a_reader_that_goes_away_and_a_server_that_does_end_it() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('mail')");
    let (mut running, _output) = start(&database, &["listen", "mail"]);
    let pid = "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgq' AND datname = current_database() AND query LIKE '%pgq.listen%'";
    let pid: i32 = until("it listens", || session.query_opt(pid, &[]).unwrap().map(|row| row.get(0)));
    run(&mut session, &format!("SELECT pg_terminate_backend({pid})"));
    assert_eq!(running.0.wait().unwrap().code(), Some(3));

    let (mut running, output) = start(&database, &["log", "--follow"]);
    drop(output);
    run(&mut session, "SELECT pgq.complete(id) FROM pgq.dequeue('{mail}')");
    assert!(running.0.wait().unwrap().success(), "it ends when nobody reads any more");
}
