//! How the worker ends when it is told to.

use crate::pgq::Folder;
use crate::working::{Working, live, log, until_gone, written};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use std::time::{Duration, Instant};

/// Writes its number, waits for a file, and ends well.
fn until_go(folder: &Folder) -> String {
    format!("echo $$ > {0}/began-$PGQ_ID; until [ -e {0}/go ]; do sleep 0.01; done", folder.path().display())
}

#[test]
fn what_runs_is_waited_for_and_no_more_is_begun() {
    for name in ["TERM", "INT"] {
        let (database, folder) = (database(), Folder::new());
        let mut session = database.connect();
        let ids = enqueue(&mut session, "a", 3);
        let mut worker = Working::start(&database, "-e a", &until_go(&folder));
        written(&folder, &format!("began-{}", ids[0]));
        worker.signal(name);
        until("it says so", || worker.err().contains("Stopping. Jobs that run have 30 s").then_some(()));
        assert!(worker.child.try_wait().unwrap().is_none());
        folder.file("go", "");
        assert_eq!(worker.code(), Some(0), "{}", worker.err());
        assert_eq!(log(&mut session, ids[0])[0].outcome, "successful");
        assert_eq!(live(&mut session, ids[1]).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
    }
}

#[test]
fn what_runs_for_too_long_is_ended_and_given_back_uncounted() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let ids = enqueue(&mut session, "a", 2);
    let script =
        format!("echo $$ > {0}/began-$PGQ_ID; trap '' TERM; while :; do sleep 0.01; done", folder.path().display());
    let mut worker = Working::start(&database, "-e a=2 --stop-timeout 300ms --grace 300ms", &script);
    let processes = [0, 1].map(|place: usize| written(&folder, &format!("began-{}", ids[place])));
    let begun = Instant::now();
    worker.signal("TERM");
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
    assert!((Duration::from_millis(600)..Duration::from_secs(5)).contains(&begun.elapsed()), "{:?}", begun.elapsed());
    for (id, process) in ids.into_iter().zip(processes) {
        until_gone(&process);
        assert_eq!(live(&mut session, id).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
        assert!(log(&mut session, id).is_empty());
    }
}

#[test]
fn a_program_that_finishes_when_it_is_told_to_end_has_done_its_job() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id = enqueue(&mut session, "a", 1)[0];
    let script =
        format!("trap 'exit 0' TERM; echo $$ > {0}/began; while :; do sleep 0.01; done", folder.path().display());
    let mut worker = Working::start(&database, "-e a --stop-timeout 0s", &script);
    written(&folder, "began");
    worker.signal("TERM");
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
    assert_eq!(log(&mut session, id)[0].outcome, "successful");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id = enqueue(&mut session, "a", 1)[0];
    let script = format!("trap '' TERM; echo $$ > {0}/began; while :; do sleep 0.01; done", folder.path().display());
    let mut worker = Working::start(&database, "-e a --grace 1h --stop-timeout 1h", &script);
    let process = written(&folder, "began");
    worker.signal("INT");
    until("it has heard", || worker.err().contains("Stopping").then_some(()));
    let begun = Instant::now();
    worker.signal("INT");
    assert_eq!(worker.code(), Some(1), "{}", worker.err());
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    until_gone(&process);
    assert_eq!(live(&mut session, id).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
}

#[test]
fn programs_that_are_told_to_end_together_with_the_worker_cost_no_attempt() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id = enqueue(&mut session, "a", 1)[0];
    let script = format!("echo $$ > {0}/began; exec sleep 300", folder.path().display());
    let mut worker = Working::start(&database, "-e a", &script);
    let process = written(&folder, "began");
    // As systemd does, unless it is asked for something else.
    crate::working::signal("TERM", &process);
    worker.signal("TERM");
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
    assert_eq!(live(&mut session, id).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
    assert!(log(&mut session, id).is_empty());
}

#[test]
fn after_so_many_jobs_it_ends_and_leaves_the_others() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "a", 10);
    let mut worker = Working::start(&database, "-e a=4 --max-jobs 5", "true");
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
    let logged = "SELECT count(*) FILTER (WHERE outcome = 'successful'), count(*) FROM pgq.job_log";
    let row = session.query_one(logged, &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (5, 5));
    let left = "SELECT count(*) FROM pgq.jobs WHERE status = 'queued' AND attempts = 0";
    assert_eq!(value::<i64>(&mut session, left, &[]), 5);
}

#[test]
fn a_worker_that_finds_no_server_can_be_stopped() {
    let mut command = crate::pgq::bare(&["work", "-e", "a", "--", "true"]);
    command.env("PGQUEUER_DSN", "host=127.0.0.1 port=1 user=x dbname=x");
    let mut worker = Working::run(command);
    until("it complains", || worker.err().contains("a call to the queue failed").then_some(()));
    worker.signal("TERM");
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
}

#[test]
fn no_claim_is_left_behind_under_load() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('a') FROM generate_series(1, 500)");
    for _ in 0..3 {
        let before: i64 = value(&mut session, "SELECT count(*) FROM pgq.job_log", &[]);
        let worker = Working::start(&database, "-e a=8", "true");
        until("it works", || {
            (value::<i64>(&mut session, "SELECT count(*) FROM pgq.job_log", &[]) > before + 20).then_some(())
        });
        worker.stop();
        assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'", &[]), 0);
    }
    let faults = "SELECT count(*) FROM pgq.job_log WHERE outcome <> 'successful' OR attempts > 0";
    assert_eq!(value::<i64>(&mut session, faults, &[]), 0);
}
