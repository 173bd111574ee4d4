//! Whatever names and payloads hold, what is printed is harmless.

use crate::pgq::{command, pgq};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::database;

const NAME: &str = "<script>alert(1)</script>\x1b]0;owned\x07\u{202e}\u{9b}31m\r\n'\"; DROP TABLE x; --";

#[test]
fn hostile_names_and_payloads_are_harmless_everywhere() {
    let database = database();
    let payload = format!("{NAME}\u{feff}\x7f");
    for _ in 0..2 {
        pgq(&database, &["enqueue", NAME, &payload, "--header", &format!("{NAME}={NAME}"), "--ordering-key", NAME])
            .ok();
    }
    pgq(&database, &["configure", NAME, "--max-attempts", "1"]).ok();
    pgq(&database, &["schedules", "add", NAME, "@daily", "--payload", &payload]).ok();
    let mut session = database.connect();
    let worker = "SELECT pgq.fail(id, $1, worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11') FROM pgq.dequeue(ARRAY[$1], worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11')";
    session.query(worker, &[&NAME]).unwrap();
    session.query("SELECT id FROM pgq.dequeue(ARRAY[$1])", &[&NAME]).unwrap();
    run(
        &mut session,
        "UPDATE pgq.job SET created = now() - interval '1 h', due = now() - interval '1 h' WHERE NOT held",
    );
    let commands: [&[&str]; 14] = [
        &["jobs"],
        &["job", "1"],
        &["job", "2"],
        &["failed"],
        &["log"],
        &["backlog"],
        &["configure"],
        &["configure", NAME],
        &["schedules"],
        &["workers"],
        &["stale", "--threshold", "0 s"],
        &["health"],
        &["pause", NAME],
        &["requeue", "1"],
    ];
    for args in commands {
        for json in [false, true] {
            let args = if json { [args, &["--json"]].concat() } else { args.to_vec() };
            let ran = pgq(&database, &args);
            let text = ran.out.clone() + &ran.err;
            let harmful = |char: char| (char.is_control() && char != '\n') || matches!(char, '\u{202e}' | '\u{feff}');
            assert!(!text.contains(harmful), "{args:?}: {text:?}");
            assert!(
                ran.code <= 1 && !json || serde_json::from_str::<serde_json::Value>(&ran.out).is_ok(),
                "{args:?}: {ran:?}"
            );
        }
    }
    // Programs get exactly what was given.
    assert_eq!(pgq(&database, &["job", "1", "--json"]).json()["payload"], payload);
    assert_eq!(pgq(&database, &["jobs", "--json"]).json()[0]["entrypoint"], NAME);
    // An error repeats what was given, harmlessly.
    let refused = pgq(&database, &["grant", "monitor", NAME]).ends(1);
    assert!(!refused.contains('\x1b') && refused.contains("\\u{1b}"), "{refused:?}");
    for line in pgq(&database, &["jobs"]).ok().lines().skip(1) {
        assert!(
            line.starts_with("2  ") || line.starts_with("1  ") || line.starts_with(' '),
            "a job has one line: {line}"
        );
    }
}

#[test]
fn ten_megabytes_are_told_by_their_beginning_and_given_out_whole() {
    let database = database();
    run(
        &mut database.connect(),
        "SELECT pgq.enqueue('big', repeat('ü', 5 << 20)), pgq.enqueue('raw', payload_bytes => decode(repeat('ff', 10 << 20), 'hex'))",
    );
    for args in [["jobs", "-n9"], ["job", "1"], ["job", "2"]] {
        assert!(pgq(&database, &args).ok().len() < 30_000, "{args:?}");
    }
    assert!(pgq(&database, &["jobs", "--json"]).ok().len() < 3000);
    let payload = command(&database, &["job", "1", "--payload"]).output().unwrap().stdout;
    assert_eq!(payload.len(), 10 << 20);
    assert_eq!(pgq(&database, &["job", "1", "--json"]).json()["payload"].as_str().unwrap().len(), 10 << 20);
}

#[test]
fn a_pipe_that_is_closed_is_no_reason_to_complain() {
    let database = database();
    run(&mut database.connect(), "SELECT pgq.enqueue_many_text('{a}', array_fill('x'::text, ARRAY[5000]))");
    let mut child = command(&database, &["jobs", "-n", "5000"]);
    let mut child = child.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}
