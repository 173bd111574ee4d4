//! What cuts a program short, and that nothing of it is left then.

use crate::pgq::{Folder, pgq};
use crate::working::{Working, drained, live, log, logged, until_gone, written};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use std::time::{Duration, Instant};

#[test]
fn a_program_whose_time_is_up_is_told_to_end_and_has_failed() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let script = format!(
        "trap 'echo told > {}/told; exit 0' TERM; echo last words >&2; while :; do sleep 0.01; done",
        folder.path().display()
    );
    drained(&database, "-e a --timeout 300ms", &script, 1);
    let row = log(&mut session, id).remove(0);
    assert!(
        row.message().starts_with("timed out after 0.3 s: ") && row.error.to_string().contains("last words"),
        "{row:?}"
    );
    assert_eq!(written(&folder, "told"), "told");
}

#[test]
fn who_does_not_listen_is_killed_after_the_grace_with_all_of_its_group() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let script = format!(
        "trap '' TERM; (trap '' TERM; echo $BASHPID > {0}/child; while :; do sleep 0.01; done) & echo $$ > {0}/leader; wait",
        folder.path().display()
    );
    let begun = Instant::now();
    drained(&database, "-e a --timeout 100ms --grace 400ms", &script, 1);
    assert!(begun.elapsed() > Duration::from_millis(500));
    assert_eq!(log(&mut session, id).remove(0).message(), "timed out after 0.1 s");
    until_gone(&written(&folder, "leader"));
    until_gone(&written(&folder, "child"));
}

#[test]
fn what_a_program_leaves_behind_ends_with_it() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('a')");
    // The first heeds SIGTERM, and has time for it; the second holds the pipes, and has to be killed.
    let script = format!(
        "(trap 'echo clean > {0}/clean; exit' TERM; echo $BASHPID > {0}/tidy; while :; do sleep 0.01; done) &
         (trap '' TERM; echo $BASHPID > {0}/deaf; while :; do sleep 0.01; done) &
         until [ -s {0}/tidy ] && [ -s {0}/deaf ]; do sleep 0.01; done; echo done",
        folder.path().display()
    );
    let begun = Instant::now();
    let worker = drained(&database, "-e a --grace 500ms", &script, 0);
    assert!(worker.out() == "done\n" && begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    assert_eq!(written(&folder, "clean"), "clean");
    until_gone(&written(&folder, "tidy"));
    until_gone(&written(&folder, "deaf"));
}

#[test]
fn a_daemon_that_holds_the_pipes_does_not_hold_up_its_job() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('a')");
    let script = format!(
        "setsid bash -c 'echo $$ > {0}/daemon; exec sleep 60' & until [ -s {0}/daemon ]; do sleep 0.01; done",
        folder.path().display()
    );
    let begun = Instant::now();
    drained(&database, "-e a", &script, 0);
    assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    // It has left the group, and so it stays.
    let daemon = written(&folder, "daemon");
    assert!(crate::working::runs(&daemon));
    crate::working::signal("KILL", &daemon);
}

#[test]
fn a_canceled_job_ends_its_program_at_once() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let script = format!(
        "echo $$ > {0}/leader; sleep 300 & echo $! > {0}/child; trap 'echo told > {0}/told; exit 1' TERM; wait",
        folder.path().display()
    );
    let worker = Working::start(&database, "-e a -v", &script);
    let (leader, child) = (written(&folder, "leader"), written(&folder, "child"));
    pgq(&database, &["cancel", &id.to_string()]).ok();
    until_gone(&leader);
    until_gone(&child);
    assert_eq!(written(&folder, "told"), "told");
    assert_eq!(log(&mut session, id).into_iter().map(|one| one.outcome).collect::<Vec<_>>(), ["canceled"]);
    until("it is told", || worker.err().contains("canceled after").then_some(()));
    // And the worker goes on.
    let next: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    until("the next begins", || (written(&folder, "leader") != leader).then_some(()));
    pgq(&database, &["cancel", &next.to_string()]).ok();
    worker.stop();
}

#[test]
fn a_claim_that_is_lost_ends_its_program() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let script =
        format!("echo $$ > {0}/leader-$PGQ_ATTEMPT; [ $PGQ_ATTEMPT = 2 ] || exec sleep 300", folder.path().display());
    let worker = Working::start(&database, "-e a --lease 2s", &script);
    let leader = written(&folder, "leader-1");
    // A worker that stands still for longer than its lease.
    worker.signal("STOP");
    until("the job is released", || log(&mut session, id).into_iter().find(|one| one.outcome == "released"));
    worker.signal("CONT");
    until_gone(&leader);
    until("it is done the second time", || live(&mut session, id).is_none().then_some(()));
    worker.stop();
}

#[test]
fn no_more_run_at_one_time_than_was_said() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue(e) FROM generate_series(1, 12), unnest('{a,b}'::text[]) AS e");
    let script = format!(
        "d={}; mkdir $d/$PGQ_ENTRYPOINT-$$; ls $d | grep -c ^$PGQ_ENTRYPOINT- >> $d/seen-$PGQ_ENTRYPOINT
         sleep 0.05; rmdir $d/$PGQ_ENTRYPOINT-$$",
        folder.path().display()
    );
    drained(&database, "-e a=3 -e b", &script, 0);
    let most = |name: &str| {
        let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
        text.lines().map(|line| line.parse::<i32>().unwrap()).max().unwrap()
    };
    assert_eq!(most("seen-a"), 3);
    // Of an entrypoint without a number as many as there is room for, of 4.
    assert!((1..=4).contains(&most("seen-b")));
    assert_eq!(logged(&mut session, 1).outcome, "successful");
}

#[test]
fn where_there_is_no_room_for_more_programs_jobs_wait_and_lose_nothing() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('a') FROM generate_series(1, 60)");
    let pgq = env!("CARGO_BIN_EXE_pgq");
    let line = format!("ulimit -n 50; exec {pgq} work --drain -e a=40 -- sleep 0.1");
    let mut crowded = std::process::Command::new("bash");
    crowded.args(["-c", &line]).env("PGQUEUER_DSN", database.address());
    let mut worker = Working::run(crowded);
    assert_eq!(worker.code(), Some(0), "{}", worker.err());
    assert_eq!(worker.err().matches("no room for more programs").count(), 1, "{}", worker.err());
    let faults = "SELECT count(*) FROM pgq.job_log WHERE outcome <> 'successful' OR attempts > 0";
    assert_eq!(value::<i64>(&mut session, faults, &[]), 0);
}

#[test]
fn a_program_that_stands_still_hears_that_its_time_is_up() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let script = "trap 'echo heard >&2; exit 1' TERM; kill -STOP $$; :";
    drained(&database, "-e a --timeout 200ms --grace 1h", script, 1);
    assert_eq!(log(&mut session, id).remove(0).message(), "timed out after 0.2 s: heard");
}
