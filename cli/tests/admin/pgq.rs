//! Runs the command and keeps what it said.

use pgqueuer_e2e::cluster::Database;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How a command ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// What it wrote; it must have ended well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The same as JSON, which is on one line and pure ASCII.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.ok();
        assert!(text.trim_end().lines().count() == 1 && text.is_ascii() && !text.contains('\x1b'), "{text}");
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What it complained about; it must have ended with this code and written nothing else.
    #[track_caller]
    pub fn ends(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self.err
    }
}

/// The command without any environment of ours but the place of the server.
pub fn command(database: &Database, args: &[&str]) -> Command {
    let mut command = bare(args);
    command.env("PGQUEUER_DSN", database.address());
    command
}

/// The same without a server.
pub fn bare(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pgq"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", "/nonexistent").env("TZ", "UTC").stdin(Stdio::null());
    command
}

/// A block of a page in a shell, in which the command and PostgreSQL's programs find this database. None takes a minute.
pub fn shell(database: &Database, block: &str) -> Command {
    let (pgq, psql) = (command(database, &[]), database.program("psql"));
    let mut shell = Command::new("timeout");
    shell.args(["60", "bash", "-euo", "pipefail", "-c", block]);
    for (name, value) in pgq.get_envs().chain(psql.get_envs()) {
        shell.env(name, value.unwrap_or_default());
    }
    let folder = |program: &Command| Path::new(program.get_program()).parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap_or_default();
    shell.env("PATH", format!("{}:{}:{path}", folder(&pgq), folder(&psql)));
    shell
}

/// Runs the command to its end.
#[track_caller]
pub fn pgq(database: &Database, args: &[&str]) -> Ran {
    ran(&mut command(database, args))
}

#[track_caller]
pub fn ran(command: &mut Command) -> Ran {
    let output = command.output().expect("pgq starts");
    kept(output)
}

/// The same with something on standard input.
#[track_caller]
pub fn fed(mut command: Command, input: &[u8]) -> Ran {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgq starts");
    let mut stdin = child.stdin.take().expect("its input is a pipe");
    let input = input.to_vec();
    // It may end before it has read all of it.
    let feeder = std::thread::spawn(move || stdin.write_all(&input).ok());
    let output = child.wait_with_output().expect("pgq ends");
    feeder.join().expect("somebody feeds it");
    kept(output)
}

fn kept(output: std::process::Output) -> Ran {
    let text = |bytes| String::from_utf8(bytes).expect("it writes UTF-8");
    Ran { code: output.status.code().expect("no signal ended it"), out: text(output.stdout), err: text(output.stderr) }
}

/// A command that goes on; it ends with the test.
#[derive(Debug)]
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A folder that goes with the test.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("pgq-test-{}-{}", std::process::id(), MADE.fetch_add(1, Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir(&folder).expect("a folder can be made");
        Self(folder)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it; its name.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let file = self.0.join(name);
        std::fs::write(&file, content).expect("a file can be written");
        file.to_str().expect("its name is UTF-8").to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).ok();
    }
}
