//! A server whose clock a test sets, while it runs or is stopped.
//!
//! Its processes are started with libfaketime (Debian: libfaketime), which reads the difference to the machine's clock out
//! of a file each time that somebody asks for the time. The monotonic clock stays as it is, as where an operator or NTP
//! sets a clock. What sleeps in the server sleeps on: [`Clock::set`] has the configuration read again, so that background
//! workers look at once; others that wait find out by themselves.

use crate::cluster::{Cluster, Setting};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::time::{SystemTime, UNIX_EPOCH};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1";

/// The clock of a server.
#[derive(Debug)]
pub struct Clock {
    file: PathBuf,
    /// By how many microseconds it is ahead of the machine's.
    ahead: AtomicI64,
}

/// A server, and its clock, which shows a time in seconds since 1970 when the server is about to start.
pub fn cluster_at(seconds: i64, settings: &[Setting]) -> (Cluster, Clock) {
    assert!(Path::new(LIBRARY).exists(), "{LIBRARY} is there: install libfaketime");
    let (mut file, ahead) = (PathBuf::new(), ahead_at(seconds));
    let cluster = Cluster::start_in(
        |folder| {
            file = folder.join("clock");
            write(&file, ahead);
            let name = file.to_string_lossy().into_owned();
            let variables = [
                ("LD_PRELOAD", LIBRARY),
                ("FAKETIME_TIMESTAMP_FILE", &name),
                ("FAKETIME_NO_CACHE", "1"),
                ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
            ];
            variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
        },
        settings,
    );
    (cluster, Clock { file, ahead: AtomicI64::new(ahead) })
}

impl Clock {
    /// Sets it to a time, in seconds since 1970.
    pub fn set(&self, cluster: &Cluster, seconds: i64) {
        self.set_stopped(seconds);
        look(cluster);
    }

    /// The same where the server does not run, or nobody is to be told.
    pub fn set_stopped(&self, seconds: i64) {
        self.write(ahead_at(seconds));
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

    fn write(&self, ahead: i64) {
        write(&self.file, ahead);
        self.ahead.store(ahead, SeqCst);
    }
}

/// Background workers look at what is due.
pub fn look(cluster: &Cluster) {
    cluster.connect("postgres").batch_execute("SELECT pg_reload_conf()").expect("the configuration can be read again");
}

fn ahead_at(seconds: i64) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("it is later than 1970").as_micros();
    seconds * 1_000_000 - i64::try_from(now).expect("it is not that late")
}

/// A reader sees the old difference or the new one.
fn write(file: &Path, ahead: i64) {
    let new = file.with_extension("new");
    let sign = if ahead < 0 { '-' } else { '+' };
    let text = format!("{sign}{}.{:06}\n", ahead.abs() / 1_000_000, ahead.abs() % 1_000_000);
    std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, file)).expect("the clock can be set");
}
