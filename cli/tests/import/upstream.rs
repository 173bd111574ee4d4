//! The Python PgQueuer: an installation in a database, and what its own programs do there.

use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::Database;
use pgqueuer_e2e::until::until_within;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// Python is not quick to start where much else runs.
const PATIENCE: Duration = Duration::from_secs(60);

/// Which of the versions that are tested.
#[derive(Debug, Clone, Copy)]
pub enum Version {
    Current,
    Old,
}

/// Its tables in a database, with a prefix or without.
pub struct Upstream<'a> {
    pub database: &'a Database<'a>,
    version: Version,
    environment: Vec<(&'static str, String)>,
}

/// A worker, which is killed at the end.
pub struct Worker(Child);

impl Worker {
    /// Killed as by a power cut: it says nothing to anybody.
    pub fn kill(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

impl<'a> Upstream<'a> {
    /// Installs it.
    pub fn install(database: &'a Database<'a>) -> Self {
        Self::install_as(database, Version::Current, &[])
    }

    /// The same of another version, or with its own variables.
    pub fn install_as(database: &'a Database<'a>, version: Version, environment: &[(&'static str, &str)]) -> Self {
        let environment = environment.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        let upstream = Self { database, version, environment };
        upstream.pgq(&["install"]);
        upstream
    }

    /// Runs its command.
    pub fn pgq(&self, args: &[&str]) -> String {
        let output = self.program("pgq").args(args).output().expect("the pgq of Python starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Enqueues jobs with its own API; returns their ids. `payload_hex`, and `execute_after` in seconds.
    pub fn enqueue(&self, jobs: &[Value]) -> Vec<i64> {
        let mut producer = self.program("python");
        producer.arg(folder().join("producer.py")).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut producer = producer.spawn().expect("Python starts");
        let lines: String = jobs.iter().map(|job| format!("{job}\n")).collect();
        producer.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("it reads");
        let output = producer.wait_with_output().expect("it ends");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).lines().map(|line| line.parse().expect("an id")).collect()
    }

    /// Starts a worker with some schedules: `entrypoint=expression`.
    pub fn work(&self, schedules: &[&str]) -> Worker {
        let mut worker = self.program("python");
        worker.arg(folder().join("worker.py")).args(schedules).stdin(Stdio::null()).stdout(Stdio::null());
        Worker(worker.spawn().expect("Python starts"))
    }

    /// Waits until a query of the database says true.
    pub fn until(&self, condition: &str) {
        let mut session = self.database.connect();
        until_within(PATIENCE, condition, || value::<bool>(&mut session, condition, &[]).then_some(()));
    }

    /// Has everything happened so much earlier: nobody was heard of lately.
    pub fn later(&self, table: &str) {
        run(&mut self.database.connect(), &format!("UPDATE {table} SET heartbeat = heartbeat - interval '1 hour'"));
    }

    /// The ids that are left in a table.
    pub fn ids(&self, table: &str) -> Vec<i64> {
        column(&mut self.database.connect(), &format!("SELECT id::bigint FROM {table} ORDER BY id"), &[])
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(packages(self.version).join("bin").join(name));
        let (host, port) = self.database.host_and_port();
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PGHOST", host).env("PGPORT", port.to_string()).env("PGUSER", "postgres");
        command.env("PGDATABASE", &self.database.name).envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/pypi")
}

/// The virtual environment of a version, made once and outside the checkout.
pub fn packages(version: Version) -> &'static Path {
    static MADE: [OnceLock<PathBuf>; 2] = [const { OnceLock::new() }; 2];
    let (place, name) = match version {
        Version::Current => (0, "current"),
        Version::Old => (1, "old"),
    };
    MADE[place].get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.ci/packages");
        let output = Command::new(script).arg(folder().join(name).join("requirements.txt")).output();
        let output = output.expect("the packages can be installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().into()
    })
}
