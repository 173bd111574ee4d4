//! `pgq web`: where it listens, whom it lets in, how it ends. The pages themselves are tested in `web/tests` and
//! `tests/web`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends with a panic")]

use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

/// The command, told of this database and of nothing else of its environment.
fn pgq(database: &Database) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgq"));
    for name in
        ["PGQUEUER_WEB_PASSWORD", "PGQUEUER_WEB_TOKEN", "PGQUEUER_WEB_LISTEN", "PGQUEUER_DSN", "PGQUEUER_PREFIX"]
    {
        command.env_remove(name);
    }
    command.args(["web", "--dsn", &database.address()]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A dashboard that runs until it is dropped.
struct Dashboard {
    child: Child,
    output: BufReader<ChildStdout>,
    first: String,
}

impl Dashboard {
    fn start(command: &mut Command) -> Self {
        let mut child = command.spawn().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        output.read_line(&mut first).unwrap();
        Self { child, output, first }
    }

    fn address(&self) -> String {
        let begin = self.first.find("127.").or_else(|| self.first.find("0.0.0.0")).expect("the address is said");
        let rest = &self.first[begin..];
        rest[..rest.find(['/', '"']).unwrap()].replace("0.0.0.0", "127.0.0.1")
    }

    /// The answer to a request with these headers, each with its line end.
    fn get(&self, path: &str, headers: &str) -> String {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        let host = if headers.contains("Host:") { "" } else { "Host: localhost\r\n" };
        write!(stream, "GET {path} HTTP/1.1\r\n{host}{headers}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn refused(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert!(!output.status.success());
    output
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn it_says_where_it_is_and_ends_when_it_is_told() {
    let database = database();
    let mut dashboard = Dashboard::start(pgq(&database).args(["--listen", "127.0.0.1:0", "--title", "st<ging"]));
    assert!(dashboard.first.starts_with("The dashboard is at http://127.0.0.1:"), "{}", dashboard.first);
    assert!(dashboard.get("/", "").contains("st&#60;ging"));
    // One that waits for events does not keep it.
    let mut events = TcpStream::connect(dashboard.address()).unwrap();
    write!(events, "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut some = [0; 12];
    events.read_exact(&mut some).unwrap();
    assert_eq!(&some, b"HTTP/1.1 200");
    let id = dashboard.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let mut rest = String::new();
    dashboard.output.read_to_string(&mut rest).unwrap();
    assert!(dashboard.child.wait().unwrap().success());
}

#[test]
fn for_programs_it_says_its_address_as_json() {
    let database = database();
    let dashboard = Dashboard::start(pgq(&database).args(["--listen", "127.0.0.1:0", "--json"]));
    assert!(dashboard.first.starts_with("{\"address\":\"127.0.0.1:"), "{}", dashboard.first);
}

#[test]
fn beyond_this_machine_it_wants_a_login() {
    let database = database();
    for address in ["0.0.0.0:0", "[::]:0", "10.1.2.3:0"] {
        let output = refused(pgq(&database).args(["--listen", address]));
        assert_eq!(output.status.code(), Some(2), "{address}");
        assert!(errors(&output).contains("PGQUEUER_WEB_PASSWORD"), "{}", errors(&output));
    }
    for (name, value) in [("PGQUEUER_WEB_PASSWORD", ""), ("PGQUEUER_WEB_TOKEN", "")] {
        let output = refused(pgq(&database).args(["--listen", "0.0.0.0:0"]).env(name, value));
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(errors(&output).contains("is empty"), "{}", errors(&output));
    }
    let dashboard = Dashboard::start(pgq(&database).args(["--listen", "0.0.0.0:0"]).env("PGQUEUER_WEB_TOKEN", "t0ken"));
    assert!(dashboard.get("/", "").starts_with("HTTP/1.1 401"));
    assert!(dashboard.get("/healthz", "").starts_with("HTTP/1.1 200"));
    // With a login it answers under any name.
    let bearer = "Host: queue.example\r\nAuthorization: Bearer t0ken\r\n";
    assert!(dashboard.get("/", bearer).starts_with("HTTP/1.1 200"));
}

#[test]
fn a_password_may_stand_in_a_file() {
    let database = database();
    let folder = std::env::temp_dir().join(format!("pgq-web-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("password");
    std::fs::write(&file, "s3cret\nand what is no part of it\n").unwrap();
    let path = file.to_str().unwrap();
    let dashboard = Dashboard::start(pgq(&database).args(["--listen", "127.0.0.1:0", "--password-file", path]));
    assert!(dashboard.get("/", "").starts_with("HTTP/1.1 401"));
    assert!(dashboard.get("/", "Authorization: Basic OnMzY3JldA==\r\n").starts_with("HTTP/1.1 200"));
    drop(dashboard);
    std::fs::write(&file, "\n").unwrap();
    assert!(errors(&refused(pgq(&database).args(["--password-file", path]))).contains("the password is empty"));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(errors(&refused(pgq(&database).args(["--password-file", path]))).contains("cannot read"));
}

#[test]
fn on_this_machine_it_answers_only_under_names_of_it() {
    let database = database();
    let dashboard = Dashboard::start(pgq(&database).args(["--listen", "127.0.0.1:0", "--host", "queue.internal"]));
    for (name, status) in [
        ("localhost", "200"),
        ("127.0.0.1:8080", "200"),
        ("[::1]", "200"),
        ("queue.internal", "200"),
        ("evil.example", "421"),
    ] {
        let answer = dashboard.get("/", &format!("Host: {name}\r\n"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{name}: {answer}");
    }
}

#[test]
fn an_address_that_is_taken_is_said() {
    let database = database();
    let dashboard = Dashboard::start(pgq(&database).args(["--listen", "127.0.0.1:0"]));
    let output = refused(pgq(&database).args(["--listen", &dashboard.address()]));
    assert_eq!(output.status.code(), Some(1));
    assert!(errors(&output).contains("cannot listen on"), "{}", errors(&output));
    assert_eq!(refused(pgq(&database).args(["--listen", "everywhere"])).status.code(), Some(2));
}

#[test]
fn the_log_says_what_the_page_does_not() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut dashboard = Dashboard::start(&mut pgq(&database));
    cluster.stop(Stop::Fast);
    assert!(dashboard.get("/jobs", "").starts_with("HTTP/1.1 503"), "there is no database");
    dashboard.child.kill().unwrap();
    let mut log = String::new();
    dashboard.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(log.contains("the database cannot be reached"), "{log}");
}
