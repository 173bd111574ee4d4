//! The service and its worker, as two processes.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::until::until;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// A process that does not outlive its test.
struct Process(Child);

impl Process {
    fn start(program: &str, database: &Database) -> Self {
        let mut command = Command::new(program);
        command.env("PGQUEUER_DSN", database.address()).env("ADDRESS", "127.0.0.1:0");
        Self(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Posts an order, and returns the status of the answer.
fn post(address: &str, body: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head = "POST /orders HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-type: application/json\r\n";
    write!(stream, "{head}content-length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status")
}

#[test]
fn orders_and_their_mails_are_written_together_and_the_worker_sends_them() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('mail', max_attempts => 2, backoff_initial => '10 ms')");
    let mut service = Process::start(env!("CARGO_BIN_EXE_service"), &database);
    let mut line = String::new();
    BufReader::new(service.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("listening on ").expect("it says where it listens");

    assert_eq!(post(address, r#"{"item": "book", "mail": "you@example.org"}"#), 201);
    assert_eq!(post(address, r#"{"item": "cup", "mail": "you@busy.example"}"#), 201);
    assert_eq!(post(address, r#"{"item": "pen", "mail": "nobody"}"#), 201);
    assert_eq!(post(address, r#"{"item": "", "mail": "you@example.org"}"#), 422);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM orders", &[]), 3);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]), 3);

    let mut worker = Process::start(env!("CARGO_BIN_EXE_worker"), &database);
    let waiting = "SELECT count(*) FROM pgq.jobs WHERE status <> 'failed'";
    until("all have ended", || (value::<i64>(&mut session, waiting, &[]) == 0).then_some(()));
    let outcomes =
        column::<String>(&mut session, "SELECT outcome::text FROM pgq.job_log ORDER BY job_id, attempts", &[]);
    assert_eq!(outcomes, ["successful", "retried", "successful", "failed"]);
    let error: String =
        value(&mut session, "SELECT error ->> 'message' FROM pgq.job_log WHERE outcome = 'failed'", &[]);
    assert_eq!(error, "\"nobody\" is no address");

    let id = worker.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let ended = until("it ends", || worker.0.try_wait().unwrap());
    assert!(ended.success());
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.workers WHERE claims > 0", &[]), 0);
}
