//! `pgq work --http`: a request a job.

use crate::pgq::{Folder, command};
use crate::server::{Does, Server, answer};
use crate::working::{Logged, Working, live, log, logged};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until;
use postgres::Client;
use std::time::{Duration, Instant};

fn worker(database: &Database, url: &str, args: &[&str]) -> Working {
    Working::run(command(database, &[&["work", "-e", "a", "--http", url], args].concat()))
}

/// What becomes of a job that is answered like this, when only one attempt is allowed.
fn became(
    session: &mut Client,
    database: &Database,
    does: Does,
    args: &[&str],
) -> (Logged, Option<(String, i32, f64)>) {
    let server = Server::start(&[does]);
    run(session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id = enqueue(session, "a", 1)[0];
    let worker = worker(database, &server.url(), args);
    let row = logged(session, id);
    worker.stop();
    (row, live(session, id))
}

fn answers(status: &str, headers: &str, body: &str) -> Does {
    Does::Answers(answer(status, headers, body))
}

#[test]
fn a_job_is_a_request_with_all_that_is_known_of_it() {
    let database = database();
    let mut session = database.connect();
    let server = Server::start(&[Does::Keeps(answer("204 No Content", "", ""))]);
    let sql = "SELECT pgq.enqueue('a', payload_bytes => $1, headers => $2, dedupe_key => $3, priority => 7)";
    let headers = serde_json::json!({ "traceparent": "00-1-2-01", "Authorization": "evil", "t": "ü\r\nX: y" });
    let ids: Vec<i64> = [br#"{"n": 1}"#.to_vec(), "grüße".into(), vec![0, 255, 10], vec![]]
        .into_iter()
        .enumerate()
        .map(|(place, payload)| value(&mut session, sql, &[&payload, &headers, &format!("k\n%ü{place}")]))
        .collect();
    let worker = worker(&database, &server.url(), &["--header", "X-Own: 1", "--header", "x-two:2"]);
    ids.iter().for_each(|id| assert_eq!(logged(&mut session, *id).outcome, "successful"));
    worker.stop();
    let asked = server.asked();
    let types: Vec<_> = asked.iter().map(|asked| asked.headers.get("content-type").map(String::as_str)).collect();
    let text = "text/plain; charset=utf-8";
    assert_eq!(types, [Some("application/json"), Some(text), Some("application/octet-stream"), None]);
    assert_eq!(asked[2].body, [0, 255, 10]);
    let first = &asked[0];
    assert_eq!(first.line, "POST /jobs?key=1 HTTP/1.1");
    let is = |name: &str, value: &str| assert_eq!(first.headers.get(name).map(String::as_str), Some(value), "{name}");
    is("pgq-id", &ids[0].to_string());
    is("pgq-entrypoint", "a");
    is("pgq-attempt", "1");
    is("pgq-priority", "7");
    is("pgq-dedupe-key", "k%0A%25%C3%BC0");
    is("traceparent", "00-1-2-01");
    is("x-own", "1");
    is("x-two", "2");
    assert!(!first.headers.contains_key("authorization") && !first.headers.contains_key("x"));
    let told: serde_json::Value = serde_json::from_str(&first.headers["pgq-headers"]).unwrap();
    assert_eq!(told, headers);
    assert!(asked.iter().all(|asked| asked.connection == 0), "one connection serves them all");
}

#[test]
fn the_status_says_what_becomes_of_the_job() {
    let database = database();
    let mut session = database.connect();
    let cases = [
        ("200 OK", "", "successful", None),
        ("429 Too Many Requests", "Retry-After: 7200\r\n", "retried", Some(7200.0)),
        ("503 Service Unavailable", "Retry-After: 7200\r\n", "retried", Some(7200.0)),
        ("429 Too Many Requests", "", "retried", Some(3600.0)),
        ("503 Service Unavailable", "", "failed", None),
        ("500 Internal Server Error", "", "failed", None),
        ("404 Not Found", "", "failed", None),
        ("422 Unprocessable Entity", "", "failed", None),
    ];
    for (status, headers, outcome, delay) in cases {
        let does = answers(status, headers, "why\x1b[31m\nnot");
        let (row, live) = became(&mut session, &database, does, &["--retry-delay", "1h"]);
        assert_eq!(row.outcome, outcome, "{status}");
        if outcome != "successful" {
            assert_eq!(row.message(), format!("HTTP {status}: not"));
        }
        if let Some(delay) = delay {
            let (status, _, seconds) = live.unwrap();
            assert!(status == "queued" && (delay - 100.0..=delay).contains(&seconds), "{seconds}");
        }
    }
}

#[test]
fn what_is_about_the_job_is_given_up_while_attempts_are_left_and_other_things_are_tried_again() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 5, backoff_initial => '0 s')");
    let does = ["401 Unauthorized", "502 Bad Gateway", "400 Bad Request"].map(|status| answers(status, "", ""));
    let server = Server::start(&does);
    let id = enqueue(&mut session, "a", 1)[0];
    let mut worker = worker(&database, &server.url(), &["--drain"]);
    assert_eq!(worker.code(), Some(1));
    let outcomes: Vec<_> = log(&mut session, id).into_iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, ["retried", "retried", "failed"]);
    let attempts: Vec<_> = server.asked().iter().map(|asked| asked.headers["pgq-attempt"].clone()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
}

#[test]
fn who_does_not_answer_has_failed() {
    let database = database();
    let mut session = database.connect();
    let (row, _) = became(&mut session, &database, Does::Closes, &[]);
    assert!(
        row.message().starts_with("no answer from http://127.0.0.1:") && !row.message().contains("key=1"),
        "{row:?}"
    );
    let (row, _) = became(&mut session, &database, Does::Nothing, &["--timeout", "200ms"]);
    assert_eq!(row.message(), "timed out after 0.2 s");
    let (row, _) = became(&mut session, &database, Does::Answers("no HTTP\r\n\r\n".into()), &[]);
    assert!(row.message().starts_with("no answer from"), "{row:?}");
    let id = enqueue(&mut session, "a", 1)[0];
    let worker = worker(&database, "http://127.0.0.1:1/", &[]);
    assert!(logged(&mut session, id).message().contains("refused"));
    worker.stop();
}

#[test]
fn a_redirect_is_not_followed() {
    let database = database();
    let mut session = database.connect();
    let other = Server::start(&[answers("200 OK", "", "")]);
    let does = answers("302 Found", &format!("Location: {}\r\n", other.url()), "");
    let (row, _) = became(&mut session, &database, does, &["--header", "Authorization: Bearer secret"]);
    assert!(row.message().starts_with("HTTP 302 Found, which is not followed, to http://127.0.0.1:"), "{row:?}");
    assert!(other.asked().is_empty());
}

#[test]
fn an_answer_without_an_end_does_not_fill_the_memory_or_hold_up_the_job() {
    let database = database();
    let mut session = database.connect();
    let endless = |status: &str| Does::Answers(format!("HTTP/1.1 {status}\r\n\r\n{}", "x".repeat(10_000_000)));
    let (row, _) = became(&mut session, &database, endless("500 Oh"), &[]);
    assert!(row.message().starts_with("HTTP 500") && row.error.to_string().len() < 5000, "{row:?}");
    let slow = Does::Keeps("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx".into());
    let begun = Instant::now();
    assert_eq!(became(&mut session, &database, slow, &[]).0.outcome, "successful");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_request_is_given_up_when_its_job_is_canceled_or_the_worker_ends() {
    let database = database();
    let mut session = database.connect();
    let server = Server::start(&[Does::Nothing]);
    let id = enqueue(&mut session, "a", 1)[0];
    let mut worker = worker(&database, &server.url(), &["--stop-timeout", "100ms"]);
    until("it is asked", || (server.asked().len() == 1).then_some(()));
    crate::pgq::pgq(&database, &["cancel", &id.to_string()]).ok();
    let next = enqueue(&mut session, "a", 1)[0];
    until("the next is asked for", || (server.asked().len() == 2).then_some(()));
    worker.signal("TERM");
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
    assert_eq!(live(&mut session, next).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
}

#[test]
fn secrets_come_from_a_file_or_the_environment_and_are_never_shown() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let server = Server::start(&[answers("200 OK", "", "")]);
    let file = folder.file("secret", "Authorization: Bearer 123\n\n");
    enqueue(&mut session, "a", 1);
    let mut command =
        command(&database, &["work", "--drain", "-vv", "-e", "a", "--http", &server.url(), "--header-file", &file]);
    let ran = crate::pgq::ran(command.env("PGQUEUER_HTTP_HEADERS", "X-Key: hush\nX-Other: 2"));
    assert!(ran.code == 0 && !format!("{ran:?}").contains("Bearer") && !format!("{ran:?}").contains("hush"), "{ran:?}");
    let headers = &server.asked()[0].headers;
    assert_eq!(
        (headers["authorization"].as_str(), headers["x-key"].as_str(), headers["x-other"].as_str()),
        ("Bearer 123", "hush", "2")
    );
    let wrong = folder.file("wrong", "Bearer hush-hush\n");
    let error =
        crate::pgq::pgq(&database, &["work", "-e", "a", "--http", &server.url(), "--header-file", &wrong]).ends(2);
    assert!(error.contains("--header-file: a line is no header") && !error.contains("hush-hush"), "{error}");
    let missing =
        crate::pgq::pgq(&database, &["work", "-e", "a", "--http", &server.url(), "--header-file", "/no/such"]);
    assert!(missing.ends(1).contains("cannot read /no/such"));
}

#[test]
fn headers_of_a_job_that_no_server_would_take_are_given_up() {
    let database = database();
    let mut session = database.connect();
    let server = Server::start(&[answers("200 OK", "", "")]);
    let id: i64 =
        value(&mut session, "SELECT pgq.enqueue('a', headers => jsonb_build_object('x', repeat('x', 10000)))", &[]);
    let worker = worker(&database, &server.url(), &[]);
    let row = logged(&mut session, id);
    assert!(row.outcome == "failed" && row.message().contains("at most 8192"), "{row:?}");
    assert!(server.asked().is_empty());
    worker.stop();
}
