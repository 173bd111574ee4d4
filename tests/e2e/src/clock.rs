//! A server whose clock a test sets, while it runs or is stopped.
//!
//! Its processes preload `clock.c`, which adds what a file says to the machine's clock. The monotonic clock stays as it
//! is, as where an operator or NTP sets a clock. (libfaketime will not do: what a postmaster up to 15 forks within a signal
//! handler, as every background worker, has the machine's clock.) What sleeps in the server sleeps on: [`Clock::set`] has
//! the configuration read again, so that background workers look at once; others that wait find out by themselves.

use crate::cluster::{Cluster, Setting};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

/// The clock of a server.
#[derive(Debug)]
pub struct Clock {
    file: std::fs::File,
    /// By how many microseconds it is ahead of the machine's.
    ahead: AtomicI64,
}

/// A server, and its clock, which shows a time in seconds since 1970 when the server is about to start.
pub fn cluster_at(seconds: i64, settings: &[Setting]) -> (Cluster, Clock) {
    let mut clock = None;
    let cluster = Cluster::start_in(
        |folder| {
            let (library, name) = (folder.join("clock.so"), folder.join("clock"));
            compile(&library);
            clock = Some(Clock::in_file(&name, seconds));
            let text = |path: &Path| path.to_string_lossy().into_owned();
            vec![("LD_PRELOAD".to_owned(), text(&library)), ("CLOCK_FILE".to_owned(), text(&name))]
        },
        settings,
    );
    (cluster, clock.expect("a server has an environment"))
}

fn compile(library: &Path) {
    let mut compiler = Command::new("cc");
    compiler.args(["-x", "c", "-std=gnu11", "-O1", "-shared", "-fPIC", "-o"]).arg(library).arg("-");
    let mut compiler = compiler.stdin(Stdio::piped()).spawn().expect("there is a C compiler, as rustc needs one");
    let source = compiler.stdin.take().expect("its input is a pipe");
    std::io::Write::write_all(&mut { source }, include_bytes!("clock.c")).expect("it reads its input");
    assert!(compiler.wait().is_ok_and(|status| status.success()), "the clock can be compiled");
}

impl Clock {
    fn in_file(name: &Path, seconds: i64) -> Self {
        let file = std::fs::File::create(name).expect("the clock's file can be made");
        let clock = Self { file, ahead: AtomicI64::new(0) };
        clock.set_stopped(seconds);
        clock
    }

    /// Sets it to a time, in seconds since 1970.
    pub fn set(&self, cluster: &Cluster, seconds: i64) {
        self.set_stopped(seconds);
        look(cluster);
    }

    /// The same where the server does not run, or nobody is to be told.
    pub fn set_stopped(&self, seconds: i64) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_micros();
        self.write(seconds * 1_000_000 - i64::try_from(now).expect("it is not that late"));
    }

    /// Sets it by so many seconds forward, or backward where they are negative.
    pub fn step(&self, cluster: &Cluster, seconds: i64) {
        self.step_stopped(seconds);
        look(cluster);
    }

    /// The same where the server does not run, or nobody is to be told.
    pub fn step_stopped(&self, seconds: i64) {
        self.write(self.ahead.load(SeqCst) + seconds * 1_000_000);
    }

    /// Eight bytes in one write: whoever has the file mapped sees the old value or the new one.
    fn write(&self, ahead: i64) {
        self.file.write_all_at(&ahead.to_ne_bytes(), 0).expect("the clock can be set");
        self.ahead.store(ahead, SeqCst);
    }
}

/// Background workers look at what is due.
pub fn look(cluster: &Cluster) {
    cluster.connect("postgres").batch_execute("SELECT pg_reload_conf()").expect("the configuration can be read again");
}
