//! A server that restarts in the midst.

use crate::pgq::Folder;
use crate::working::{Working, live, log, written};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::until::until_within;
use std::time::Duration;

#[test]
fn a_program_runs_through_a_restart_of_the_server_and_its_job_is_done_once() {
    let cluster = Cluster::start(&[]);
    let (database, folder) = (cluster.database(), Folder::new());
    let mut session = database.connect();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let script = format!(
        "echo $$ >> {0}/began; until [ -e {0}/go ]; do sleep 0.01; done; echo $$ >> {0}/ended",
        folder.path().display()
    );
    let worker = Working::start(&database, "-e a", &script);
    written(&folder, "began");
    // Longer than pgqueuer.receipt_after: the claim is written down, and outlives the restart.
    let begun = std::time::Instant::now();
    until_within(Duration::from_secs(20), "the claim is old", || {
        (begun.elapsed() > Duration::from_secs(2)).then_some(())
    });
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    assert!(live(&mut session, id).is_some());
    folder.file("go", "");
    let done = || log(&mut session, id).into_iter().find(|one| one.outcome == "successful");
    until_within(Duration::from_secs(30), "it is done", done);
    assert_eq!(log(&mut session, id).len(), 1);
    assert_eq!(std::fs::read_to_string(folder.path().join("began")).unwrap().lines().count(), 1);
    // And the worker goes on.
    run(&mut session, "SELECT pgq.enqueue('a')");
    let gone = || (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(());
    until_within(Duration::from_secs(30), "the next is done", gone);
    let told = worker.stop();
    assert!(told.contains("a call to the queue failed"), "{told}");
}
