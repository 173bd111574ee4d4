//! A job from the command line.

use crate::pgq::{Folder, command, fed, pgq};
use pgqueuer_e2e::ask::{dequeue, value};
use pgqueuer_e2e::cluster::{Database, database};
use serde_json::{Value, json};

fn payload(database: &Database, id: i64) -> Vec<u8> {
    value(&mut database.connect(), "SELECT payload FROM pgq.jobs WHERE id = $1", &[&id])
}

fn id(ran: crate::pgq::Ran) -> i64 {
    ran.json()["id"].as_i64().unwrap()
}

#[test]
fn a_payload_comes_from_an_argument_a_file_or_standard_input() {
    let database = database();
    let folder = Folder::new();
    let bytes = folder.file("bytes", [0, 255, 10]);
    assert_eq!(pgq(&database, &["enqueue", "hello", "world"]).ok(), "job 1 is queued\n");
    assert_eq!(payload(&database, 1), b"world");
    let given: [(&[&str], &[u8]); 4] = [
        (&["--payload", "wörld"], "wörld".as_bytes()),
        (&["--payload", "-x"], b"-x"),
        (&["--json-payload", "{\"n\": 12345678901234567890123}"], b"{\"n\": 12345678901234567890123}"),
        (&["--file", &bytes], &[0, 255, 10]),
    ];
    for (given, expected) in given {
        let args = [&["enqueue", "hello", "--json"], given].concat();
        assert_eq!(payload(&database, id(pgq(&database, &args))), expected);
    }
    let piped = fed(command(&database, &["queue", "hello", "--file", "-", "--json"]), &[0, 159, 146, 150]);
    assert_eq!(payload(&database, id(piped)), [0, 159, 146, 150]);
    let none = id(pgq(&database, &["enqueue", "hello", "--json"]));
    let none: Option<Vec<u8>> = value(&mut database.connect(), "SELECT payload FROM pgq.jobs WHERE id = $1", &[&none]);
    assert_eq!(none, None);
}

#[test]
fn every_option_reaches_the_job() {
    let database = database();
    let job = pgq(
        &database,
        &[
            "enqueue",
            "mail",
            "--json-payload",
            "{}",
            "--priority",
            "-3",
            "--at",
            "2100-01-01T00:00:00+01:00",
            "--dedupe-key",
            "k",
            "--header",
            "traceparent=00-1-2-01",
            "--header",
            "a=b=c",
            "--ordering-key",
            "account 7",
            "--json",
        ],
    );
    let id = id(job);
    let job = pgq(&database, &["job", &id.to_string(), "--json"]).json();
    let expected = json!({
        "entrypoint": "mail", "status": "queued", "priority": -3, "dedupe_key": "k", "ordering_key": "account 7",
        "headers": { "traceparent": "00-1-2-01", "a": "b=c" }, "payload": "{}", "payload_kind": "json",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&job[name], value, "{name}");
    }
    let after: bool = value(&mut database.connect(), "SELECT execute_after = '2099-12-31 23:00Z' FROM pgq.jobs", &[]);
    assert!(after);
}

#[test]
fn times_are_understood_as_people_write_them() {
    let database = database();
    let mut session = database.connect();
    let mut starts = |option: &str, text: &str| -> f64 {
        let id = id(pgq(&database, &["enqueue", "later", option, text, "--json"]));
        value(
            &mut session,
            "SELECT extract(epoch FROM execute_after)::float8 - extract(epoch FROM created)::float8 FROM pgq.jobs WHERE id = $1",
            &[&id],
        )
    };
    for (text, seconds) in [("10 s", 10.0), ("5 min", 300.0), ("1 day 2 h", 93_600.0), ("PT10S", 10.0)] {
        let got = starts("--delay", text);
        assert!((got - seconds).abs() < 1.0, "{text}: {got}");
    }
    for text in ["tomorrow", "2100-01-01 09:00", "Jan 1 2100", "infinity"] {
        assert!(starts("--at", text) > 0.0, "{text}");
    }
    let wrong = pgq(&database, &["enqueue", "later", "--at", "soon"]).ends(2);
    assert!(wrong.contains("--at is no time: \"soon\"") && wrong.contains("hint: Write 2026"), "{wrong}");
    for wrong in [["--delay", "soon"], ["--delay", "-5 s"]] {
        let joined = wrong.join("=");
        assert!(pgq(&database, &["enqueue", "later", &joined]).ends(2).contains("--delay <LENGTH>"));
    }
    assert!(
        pgq(&database, &["enqueue", "later", "--delay", "1 s", "--at", "tomorrow"])
            .ends(2)
            .contains("cannot be used with")
    );
}

#[test]
fn of_two_jobs_with_one_key_the_second_does_what_it_is_told() {
    let database = database();
    pgq(&database, &["enqueue", "mail", "1", "--dedupe-key", "k"]).ok();
    let refused = pgq(&database, &["enqueue", "mail", "2", "--dedupe-key", "k"]).ends(1);
    assert!(refused.contains("detail:") && refused.contains('k') && refused.contains("hint:"), "{refused}");
    let args = |word| ["enqueue", "mail", "3", "--dedupe-key", "k", "--json", "--on-conflict", word];
    assert_eq!(pgq(&database, &args("skip")).json(), json!({ "id": Value::Null }));
    assert_eq!(pgq(&database, &args("replace")).json(), json!({ "id": 1 }));
    assert_eq!(payload(&database, 1), b"3");
    assert!(pgq(&database, &args("ask")).ends(2).contains("[possible values: raise, skip, replace]"));
    assert_eq!(dequeue(&mut database.connect(), "mail", 9), [1]);
}

#[test]
fn wrong_input_is_named_and_enqueues_nothing() {
    let database = database();
    let wrong: [(&[&str], i32, &str); 8] = [
        (&["enqueue"], 2, "<ENTRYPOINT>"),
        (&["enqueue", ""], 1, "entrypoint must"),
        (&["enqueue", &"x".repeat(256)], 1, "255"),
        (&["enqueue", "x", "y", "--payload", "z"], 2, "cannot be used with"),
        (&["enqueue", "x", "--json-payload", "{"], 2, "--json-payload is no JSON"),
        (&["enqueue", "x", "--file", "/nowhere"], 1, "--file /nowhere"),
        (&["enqueue", "x", "--header", "novalue"], 2, "write name=value"),
        (&["enqueue", "x", "--priority", "99999999999"], 2, "--priority"),
    ];
    for (args, code, says) in wrong {
        let error = pgq(&database, args).ends(code);
        assert!(error.contains(says), "{args:?}: {error}");
    }
    assert_eq!(pgq(&database, &["jobs", "--json"]).json(), json!([]));
    assert_eq!(pgq(&database, &["jobs"]).ok(), "No live jobs.\n");
}
