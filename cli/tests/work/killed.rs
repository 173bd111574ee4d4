//! SIGKILL for `pgq` itself: its programs die, and its jobs are others' within moments.

use crate::pgq::Folder;
use crate::working::{Working, log, until_gone, written};
use pgqueuer_e2e::ask::enqueue;
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;

#[test]
fn the_programs_of_a_worker_that_is_killed_die_with_their_children_and_the_job_is_tried_again() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id = enqueue(&mut session, "a", 1)[0];
    let script = format!(
        "trap '' TERM; [ $PGQ_ATTEMPT = 2 ] && exit 0
         (trap '' TERM; echo $BASHPID > {0}/child; while :; do sleep 0.01; done) & echo $$ > {0}/leader; wait",
        folder.path().display()
    );
    let mut worker = Working::start(&database, "-e a --lease 1h", &script);
    let (leader, child) = (written(&folder, "leader"), written(&folder, "child"));
    // Whoever watches over it may tell all of its processes to end; the keeper stays.
    let keeper = keeper_of(worker.child.id());
    crate::working::signal("TERM", &keeper);
    worker.signal("KILL");
    assert_eq!(worker.code(), None);
    until_gone(&leader);
    until_gone(&child);
    until_gone(&keeper);
    // The lease is an hour: what counts is that nobody listens any more.
    until("it is released", || log(&mut session, id).into_iter().find(|one| one.outcome == "released"));
    let next = Working::start(&database, "-e a", &script);
    until("it is tried again", || log(&mut session, id).into_iter().find(|one| one.outcome == "successful"));
    next.stop();
}

#[test]
fn a_worker_that_ends_in_good_order_leaves_no_process() {
    let (database, folder) = (database(), Folder::new());
    enqueue(&mut database.connect(), "a", 1);
    let worker = Working::start(&database, "-e a", &format!("echo $$ > {}/ran", folder.path().display()));
    let keeper = keeper_of(worker.child.id());
    until_gone(&written(&folder, "ran"));
    worker.stop();
    assert!(!crate::working::runs(&keeper));
}

#[test]
fn a_worker_that_has_lost_its_keeper_goes_on_and_says_so() {
    let database = database();
    let mut session = database.connect();
    let worker = Working::start(&database, "-e a", "true");
    let keeper = keeper_of(worker.child.id());
    crate::working::signal("KILL", &keeper);
    until_gone(&keeper);
    let id = enqueue(&mut session, "a", 1)[0];
    until("it is done", || log(&mut session, id).into_iter().find(|one| one.outcome == "successful"));
    assert!(worker.stop().contains("pgq-keeper is gone"));
}

/// The process beside the worker.
fn keeper_of(worker: u32) -> String {
    until("there is a keeper", || {
        let threads = std::fs::read_dir(format!("/proc/{worker}/task")).ok()?;
        let children =
            threads.flatten().filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
        let children: Vec<String> =
            children.flat_map(|text| text.split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
        let is_keeper = |process: &String| {
            std::fs::read(format!("/proc/{process}/cmdline")).is_ok_and(|line| line.starts_with(b"pgq-keeper"))
        };
        children.into_iter().map(|process| process.trim().to_owned()).find(is_keeper)
    })
}
