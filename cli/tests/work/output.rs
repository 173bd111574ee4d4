//! What programs write, however much it is and whoever reads it.

use crate::pgq::{Folder, Running, command, pgq};
use crate::working::{Working, drained, log, logged, written};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::{until, until_within};
use std::io::Read;
use std::process::Stdio;
use std::time::Duration;

#[test]
fn both_streams_are_passed_on_in_whole_lines() {
    let database = database();
    enqueue(&mut database.connect(), "a", 20);
    let script =
        "for i in $(seq 200); do echo \"$PGQ_ID $PGQ_ID $PGQ_ID\"; echo \"e$PGQ_ID e$PGQ_ID\" >&2; done; printf end";
    let worker = drained(&database, "-e a=5", script, 0);
    let (out, err) = (worker.out().replace("end", ""), worker.err());
    let is_whole = |line: &str| {
        let words: Vec<_> = line.split(' ').collect();
        words.len() == 3 && words.iter().all(|word| *word == words[0] && !word.is_empty())
    };
    assert!(out.lines().count() == 4000 && out.lines().all(is_whole), "{out}");
    assert_eq!(err.lines().filter(|line| line.starts_with('e') && line.split(' ').count() == 2).count(), 4000);
}

#[test]
fn what_is_not_to_be_seen_is_dropped_and_its_end_kept() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id = enqueue(&mut session, "a", 1)[0];
    let worker = drained(&database, "-e a --output drop", "echo seen; echo why >&2; exit 1", 1);
    assert!(worker.out().is_empty() && !worker.err().contains("\nwhy"), "{}{}", worker.out(), worker.err());
    assert_eq!(log(&mut session, id)[0].message(), "exit code 1: why");
}

/// The most memory that a process ever had, in kilobytes.
fn memory(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default().to_owned();
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[test]
fn a_flood_does_not_fill_the_memory() {
    for output in ["show", "drop"] {
        let (database, folder) = (database(), Folder::new());
        let mut session = database.connect();
        run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
        let id = enqueue(&mut session, "a", 1)[0];
        let script =
            "(head -c 1000000000 /dev/zero; echo out) & head -c 1000000000 /dev/zero >&2; wait; echo why >&2; exit 1";
        let mut flood = command(&database, &["work", "-e", "a", "--output", output, "--", "bash", "-c", script]);
        let null = || Stdio::from(std::fs::File::create("/dev/null").unwrap());
        let mut running = Running(flood.stdout(null()).stderr(null()).spawn().unwrap());
        let child = &mut running.0;
        let row = until_within(Duration::from_secs(180), "it has ended", || log(&mut session, id).pop());
        let most = memory(child.id());
        crate::working::signal("TERM", &child.id().to_string());
        assert!(child.wait().unwrap().success());
        assert!(row.message().ends_with(": why") || row.message().ends_with("why"), "{row:?}");
        assert!((1..200_000).contains(&most), "{most} kB");
        drop(folder);
    }
}

#[test]
fn a_reader_who_does_not_read_holds_up_programs_and_not_the_worker() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let loud = enqueue(&mut session, "loud", 1)[0];
    let script = format!("if [ $PGQ_ENTRYPOINT = loud ]; then echo $$ > {0}/loud; yes; fi", folder.path().display());
    let args = [
        "work",
        "-e",
        "loud",
        "-e",
        "quiet",
        "--lease",
        "2s",
        "--stop-timeout",
        "0s",
        "--grace",
        "1s",
        "--",
        "bash",
        "-c",
        &script,
    ];
    let mut loud_one = command(&database, &args);
    let mut running = Running(loud_one.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let child = &mut running.0;
    written(&folder, "loud");
    // Another program goes on, and so do signs of life: after two leases the claim is still there.
    for _ in 0..3 {
        let quiet = enqueue(&mut session, "quiet", 1)[0];
        assert_eq!(logged(&mut session, quiet).outcome, "successful");
        let begun = std::time::Instant::now();
        until("time passes", || (begun.elapsed() > Duration::from_millis(1500)).then_some(()));
    }
    assert!(log(&mut session, loud).is_empty());
    crate::working::signal("TERM", &child.id().to_string());
    let code = until_within(Duration::from_secs(20), "it ends", || child.try_wait().unwrap());
    assert!(code.success());
    let given_back = "SELECT count(*) FROM pgq.jobs WHERE status = 'queued' AND attempts = 0";
    assert_eq!(value::<i64>(&mut session, given_back, &[]), 1);
    let mut rest = vec![];
    child.stdout.take().unwrap().read_to_end(&mut rest).unwrap();
    assert!(rest.iter().all(|byte| matches!(byte, b'y' | b'\n')));
}

#[test]
fn a_reader_who_is_gone_is_no_reason_to_end() {
    let database = database();
    let mut session = database.connect();
    let mut child = command(&database, &["work", "-v", "-e", "a", "--", "bash", "-c", "echo x; echo y >&2"]);
    let mut running = Running(child.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    let child = &mut running.0;
    drop((child.stdout.take(), child.stderr.take()));
    for id in enqueue(&mut session, "a", 5) {
        assert_eq!(logged(&mut session, id).outcome, "successful");
    }
    crate::working::signal("TERM", &child.id().to_string());
    until("it ends", || child.try_wait().unwrap());
}

#[test]
fn every_job_has_a_line_where_that_is_asked_for_and_names_are_harmless() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue(E'a\\x1b]0;x\\x07\\n')");
    let worker = Working::start(&database, "-e x -v", "true");
    let id = enqueue(&mut session, "x", 1)[0];
    until("it is told", || worker.err().contains(&format!("  x {id}, attempt 1: done after ")).then_some(()));
    worker.stop();
    let ran = pgq(&database, &["work", "--drain", "-v", "-e", "a\x1b]0;x\x07\n", "--", "true"]);
    assert!(
        ran.code == 0 && ran.err.contains("a\\u{1b}]0;x\\u{7}\\n 1, attempt 1: done") && !ran.err.contains('\x1b'),
        "{ran:?}"
    );
    let worker = Working::start(&database, "-e y -vv", "true");
    until("it says that it works", || worker.err().contains(" working").then_some(()));
    assert!(worker.stop().contains(" stopped"));
}

#[test]
fn a_slow_reader_gets_all_of_it() {
    let database = database();
    enqueue(&mut database.connect(), "a", 1);
    let mut slow = command(&database, &["work", "--drain", "-e", "a", "--", "bash", "-c", "seq 1000000"]);
    let mut running = Running(slow.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut out = running.0.stdout.take().unwrap();
    let mut text = vec![0; 100_000];
    out.read_exact(&mut text).unwrap();
    // It has written all that finds room, and ends; then nobody reads for longer than one would wait for silence.
    let begun = std::time::Instant::now();
    until("time passes", || (begun.elapsed() > Duration::from_secs(3)).then_some(()));
    out.read_to_end(&mut text).unwrap();
    assert!(text.ends_with(b"\n999999\n1000000\n"), "{} bytes", text.len());
    assert!(running.0.wait().unwrap().success());
}
