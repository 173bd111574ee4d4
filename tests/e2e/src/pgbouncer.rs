//! pgbouncer in transaction mode in front of a server.
//!
//! It listens on a free port of 127.0.0.1, keeps its files in a folder of its own and lets `postgres` into every database. It
//! belongs to a guard process that waits for this one: when the [`PgBouncer`] is dropped, or this process ends in whatever
//! way, the guard stops it by its process id and removes the folder.

use crate::cluster::{Database, Setting, as_server, free_port, output_of};
use crate::until::until;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

/// A pgbouncer.
#[derive(Debug)]
pub struct PgBouncer {
    folder: PathBuf,
    port: u16,
    database: String,
    guard: Option<Child>,
}

impl PgBouncer {
    /// Stands before the server of a database, with these settings besides.
    pub fn before(database: &Database, settings: &[Setting]) -> Self {
        let made = output_of(as_server(Path::new("mktemp")).args(["-d", "-t", "pgqueuer-pgbouncer.XXXXXXXX"]));
        let (folder, port, (host, server)) = (PathBuf::from(made.trim()), free_port(), database.host_and_port());
        let mut lines = format!(
            "[databases]\n* = host={host} port={server}\n[pgbouncer]\npool_mode = transaction\nlisten_addr = 127.0.0.1\n\
             listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {}\nlogfile = {}\n",
            folder.join("users").display(),
            folder.join("log").display(),
        );
        for (name, value) in settings {
            writeln!(lines, "{name} = {value}").expect("a string takes everything");
        }
        write(&folder.join("ini"), &lines);
        write(&folder.join("users"), "\"postgres\" \"\"\n");
        let mut bouncer = Self { folder, port, database: database.name.clone(), guard: None };
        bouncer.begin();
        bouncer
    }

    /// Starts it again.
    pub fn begin(&mut self) {
        // Started again where it fails, as by an init system: 1.18 may do so over a cancel request (its issue 815).
        let script = r#"
            {
                trap 'kill -9 $pgbouncer; exit' TERM
                for life in 1 2 3 4 5; do
                    "$1" -q "$2/ini" &
                    pgbouncer=$!
                    wait $pgbouncer && exit
                done
            } &
            read -r line; kill $!; wait; [ -z "$line" ] && rm -rf "$2""#;
        let mut guard = as_server(Path::new("sh"));
        guard.args(["-c", script, "guard"]).arg(program()).arg(&self.folder);
        // A group of its own, so that Ctrl-C ends the tests and not the guard.
        guard.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        self.guard = Some(guard.spawn().expect("the guard starts"));
        until("pgbouncer listens", || TcpStream::connect(("127.0.0.1", self.port)).ok());
    }

    /// Ends it in the middle of whatever it is doing.
    pub fn kill(&mut self) {
        self.tell("its folder stays\n");
    }

    /// How to connect through it.
    pub fn address(&self) -> String {
        self.address_of(&self.database)
    }

    /// How to connect through it to another database of the server.
    pub fn address_of(&self, database: &str) -> String {
        format!("host=127.0.0.1 port={} user=postgres dbname={database}", self.port)
    }

    /// What it has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The guard ends it at any word, or when there is nobody left who could say one.
    fn tell(&mut self, word: &str) {
        let Some(mut guard) = self.guard.take() else { return };
        if let Some(mut ear) = guard.stdin.take() {
            // It may be gone.
            ear.write_all(word.as_bytes()).ok();
        }
        guard.wait().expect("the guard ends");
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        self.tell("");
    }
}

/// On the PATH, or where Debian has it, which is not on everybody's.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places =
        std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]).map(|place| place.join("pgbouncer"));
    places.find(|place| place.is_file()).expect("there is a pgbouncer: .ci/prepare test")
}

/// The account that runs it may read it.
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
