//! A worker that works while the test looks on.

use crate::pgq::{Folder, command};
use pgqueuer_e2e::cluster::Database;
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use serde_json::Value;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// However much the machine has to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// `pgq work`, killed when the test ends.
pub struct Working {
    pub child: Child,
    out: Arc<Mutex<Vec<u8>>>,
    err: Arc<Mutex<Vec<u8>>>,
    readers: Vec<JoinHandle<()>>,
}

impl Working {
    /// With these arguments after `work`, separated by single spaces, and then a program for bash.
    pub fn start(database: &Database, args: &str, script: &str) -> Self {
        Self::run(command(database, &[&words(args), &["--", "bash", "-c", script][..]].concat()))
    }

    pub fn run(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("pgq starts");
        let ((out, first), (err, second)) = (read(child.stdout.take().unwrap()), read(child.stderr.take().unwrap()));
        Self { child, out, err, readers: vec![first, second] }
    }

    /// What it has written to standard output so far.
    pub fn out(&self) -> String {
        String::from_utf8_lossy(&self.out.lock().unwrap()).into_owned()
    }

    /// The same of standard error.
    pub fn err(&self) -> String {
        String::from_utf8_lossy(&self.err.lock().unwrap()).into_owned()
    }

    pub fn signal(&self, name: &str) {
        signal(name, &self.child.id().to_string());
    }

    /// Waits for its end, and for all that it has written; the exit code, or none where a signal has ended it.
    #[track_caller]
    pub fn code(&mut self) -> Option<i32> {
        let ended = || self.child.try_wait().unwrap();
        let status = until_within(PATIENCE, "pgq ends", ended);
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        status.code()
    }

    /// Stops it in good order.
    #[track_caller]
    pub fn stop(mut self) -> String {
        until("it hears signals", || self.err().contains("Ctrl-C ends it").then_some(()));
        self.signal("TERM");
        assert_eq!(self.code(), Some(0), "{}", self.err());
        self.err()
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn words(args: &str) -> Vec<&str> {
    ["work"].into_iter().chain(args.split(' ')).collect()
}

fn read(mut pipe: impl Read + Send + 'static) -> (Arc<Mutex<Vec<u8>>>, JoinHandle<()>) {
    let text = Arc::new(Mutex::new(vec![]));
    let to = text.clone();
    let reader = std::thread::spawn(move || {
        let mut piece = vec![0; 65536];
        while let Ok(count @ 1..) = pipe.read(&mut piece) {
            to.lock().unwrap().extend_from_slice(&piece[..count]);
        }
    });
    (text, reader)
}

pub fn signal(name: &str, process: &str) {
    Command::new("kill").args([&format!("-{name}"), "--", process]).output().expect("there is a kill");
}

/// Runs it to its end, which must be this.
#[track_caller]
pub fn drained(database: &Database, args: &str, script: &str, code: i32) -> Working {
    let mut working = Working::start(database, &format!("{args} --drain"), script);
    assert_eq!(working.code(), Some(code), "{}{}", working.out(), working.err());
    working
}

/// A row of the log.
#[derive(Debug)]
pub struct Logged {
    pub outcome: String,
    pub error: Value,
}

impl Logged {
    pub fn message(&self) -> &str {
        self.error["message"].as_str().or(self.error.as_str()).unwrap_or_default()
    }
}

/// What the log says of a job, in the order of its attempts.
pub fn log(session: &mut Client, id: i64) -> Vec<Logged> {
    let sql = "SELECT outcome::text, error FROM pgq.job_log WHERE job_id = $1 ORDER BY attempts, finished";
    let rows = session.query(sql, &[&id]).unwrap();
    let of =
        |row: &postgres::Row| Logged { outcome: row.get(0), error: row.get::<_, Option<Value>>(1).unwrap_or_default() };
    rows.iter().map(of).collect()
}

/// The first row of it, once it is there.
#[track_caller]
pub fn logged(session: &mut Client, id: i64) -> Logged {
    until("an attempt is logged", || log(session, id).into_iter().next())
}

/// Status and attempts of a live job, and in how many seconds it is due.
pub fn live(session: &mut Client, id: i64) -> Option<(String, i32, f64)> {
    let sql = "SELECT status::text, attempts, extract(epoch FROM execute_after - clock_timestamp())::float8 FROM pgq.jobs WHERE id = $1";
    session.query_opt(sql, &[&id]).unwrap().map(|row| (row.get(0), row.get(1), row.get(2)))
}

/// Waits until a program has written a file, with a line in it, and returns that.
#[track_caller]
pub fn written(folder: &Folder, name: &str) -> String {
    let file = folder.path().join(name);
    until(&format!("{name} is written"), || {
        std::fs::read_to_string(&file).ok().filter(|text| text.ends_with('\n')).map(|text| text.trim_end().to_owned())
    })
}

/// Whether a process runs; a dead one that nobody has waited for does not.
pub fn runs(process: &str) -> bool {
    let line = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    line.rsplit(')').next().is_some_and(|after| !after.is_empty() && !after.starts_with(" Z"))
}

#[track_caller]
pub fn until_gone(process: &str) {
    until(&format!("process {process} is gone"), || (!runs(process)).then_some(()));
}
