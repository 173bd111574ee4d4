//! A worker in a process of its own, told to end, killed, and stopped where it is.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod running;

use pgqueuer_client::{Context, Postgres, Worker};
use pgqueuer_e2e::ask::{column, enqueue, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::until::until;
use postgres::Client;
use running::{Running, log_of, only_logged, queue, until_logged};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::signal::unix::{SignalKind, signal};

/// Its address, for the process that the tests start.
const ADDRESS: &str = "PGQUEUER_TEST_ADDRESS";
const LEASE: Duration = Duration::from_secs(3);

/// What the process does: works until SIGTERM.
#[test]
#[ignore = "started by the other tests"]
fn the_process() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let work = |context: Context| async move {
        let length = context.job.text().ok().and_then(|text| text.parse().ok()).unwrap_or_default();
        tokio::select! {
            () = tokio::time::sleep(Duration::from_millis(length)) => {}
            () = context.canceled.cancelled() => {}
        }
    };
    runtime.block_on(async {
        let worker = Worker::builder(Postgres::new(&address).unwrap()).entrypoint("work", work).lease(LEASE);
        let mut terminated = signal(SignalKind::terminate()).unwrap();
        worker.build().unwrap().run(async { _ = terminated.recv().await }).await.unwrap();
    });
}

/// A process that works, killed with its value.
struct Process(Child);

impl Process {
    fn start(database: &Database) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "the_process", "--ignored", "--test-threads=1"]).env(ADDRESS, database.address());
        Self(command.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap())
    }

    fn id(&self) -> i32 {
        self.0.id().try_into().unwrap()
    }

    fn terminate(&self) {
        assert!(Command::new("kill").args(["-TERM", &self.id().to_string()]).status().unwrap().success());
    }

    fn has_ended_well(&mut self) -> Option<bool> {
        self.0.try_wait().unwrap().map(|status| status.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A job that takes so many milliseconds, in the hands of the process.
fn begun(session: &mut Client, milliseconds: u32) -> i64 {
    let id = value(session, "SELECT pgq.enqueue('work', $1)", &[&milliseconds.to_string()]);
    let picked = "SELECT id FROM pgq.jobs WHERE status = 'picked'";
    until("the job is claimed", || (column::<i64>(session, picked, &[]) == [id]).then_some(()));
    id
}

#[test]
fn a_process_that_is_told_to_end_finishes_its_jobs_first() {
    let database = database();
    let mut session = database.connect();
    let mut process = Process::start(&database);
    // It listens to the signal when it has done a job.
    let first = enqueue(&mut session, "work", 1)[0];
    assert_eq!(only_logged(&mut session, first).outcome, "successful");
    let id = begun(&mut session, 700);
    process.terminate();
    assert!(until("it has ended", || process.has_ended_well()));
    let logged = log_of(&mut session, id);
    assert_eq!((logged.len(), logged[0].outcome.as_str()), (1, "successful"));
}

#[test]
fn the_jobs_of_a_process_that_is_killed_are_done_by_another() {
    let database = database();
    let mut session = database.connect();
    let mut process = Process::start(&database);
    let id = begun(&mut session, 60_000);
    process.0.kill().unwrap();
    // Not when its lease is over, but when the grace is.
    until_logged(&mut session, id, &["released"]);
    let worker = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {}).build().unwrap();
    let running = Running::start(worker);
    until_logged(&mut session, id, &["released", "successful"]);
    running.stop().unwrap();
}

#[test]
fn what_a_process_says_that_stood_still_for_longer_than_its_lease_is_not_heard() {
    let database = database();
    let mut session = database.connect();
    let mut process = Process::start(&database);
    let id = begun(&mut session, 1000);
    let frozen = Frozen::of(vec![process.id()]);
    until_logged(&mut session, id, &["released"]);
    let worker = Worker::builder(queue(&database)).entrypoint("work", |_: Context| async {}).build().unwrap();
    let running = Running::start(worker);
    until_logged(&mut session, id, &["released", "successful"]);
    running.stop().unwrap();
    drop(frozen);
    // It goes on with other jobs.
    let next = begun(&mut session, 100);
    assert_eq!(only_logged(&mut session, next).outcome, "successful");
    process.terminate();
    assert!(until("it has ended", || process.has_ended_well()));
    until_logged(&mut session, id, &["released", "successful"]);
}
