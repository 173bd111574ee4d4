//! Runs `pgq metrics --listen` and asks it.

use crate::pgq::{Running, command};
use pgqueuer_e2e::cluster::Database;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

/// One that runs until it is dropped.
pub struct Exporter {
    pub process: Running,
    pub address: String,
}

/// What it answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Exporter {
    pub fn start(database: &Database, args: &[&str]) -> Self {
        let mut command = command(database, &["metrics", "--listen", "127.0.0.1:0"]);
        command.args(args);
        Self::of(&mut command)
    }

    pub fn of(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgq starts");
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let address = first.split("http://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("the address is said: {first}")).to_owned();
        Self { process: Running(child), address }
    }

    pub fn get(&self, path: &str, headers: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\n{headers}Connection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// Asks, and goes away before there is an answer.
    pub fn ask_and_leave(&self) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    }

    pub fn metrics(&self) -> String {
        let answer = self.get("/metrics", "");
        assert_eq!(answer.status, 200);
        answer.body
    }

    pub fn samples(&self) -> BTreeMap<String, f64> {
        samples(&self.metrics())
    }

    /// Tells it to end, and returns how it did and what it complained about.
    pub fn end(&mut self) -> (Option<i32>, String) {
        let id = self.process.0.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let mut said = String::new();
        self.process.0.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        (self.process.0.wait().unwrap().code(), said)
    }
}

/// The samples of a page, by their names and labels.
pub fn samples(page: &str) -> BTreeMap<String, f64> {
    let samples = page.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect()
}

/// What promtool says of its input; nothing where all is well.
pub fn promtool(args: &[&str], input: &str) -> String {
    let mut promtool = Command::new("promtool");
    promtool.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap_or_else(|error| panic!("promtool: {error}. `make test` fetches it."));
    promtool.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() { String::new() } else { format!("{}{said}", output.status) }
}
