//! What is wrong from the start is said before anything is claimed; what goes wrong later is no fault of a job.

use crate::pgq::{Folder, command, pgq};
use crate::working::{Working, live, log, written};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{database, empty_database};
use pgqueuer_e2e::until::until;
use std::os::unix::fs::PermissionsExt;

fn executable(file: &str) {
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_program_that_cannot_be_run_is_refused_before_anything_is_claimed() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let plain = folder.file("plain", "#!/bin/sh\n");
    let bad = folder.file("bad", "#! /no/such/interpreter -x\n");
    executable(&bad);
    let folder_name = folder.path().to_str().unwrap().to_owned();
    let wrong = [
        ("./nothing-here", "No such file", "Name a program"),
        (plain.as_str(), "it is not executable", "chmod +x"),
        (bad.as_str(), "names /no/such/interpreter", "Correct the line that begins with #!"),
        (folder_name.as_str(), "it is no file", "Name a program"),
        ("no-such-program-in-path", "no program \"no-such-program-in-path\" in PATH", "Install it"),
        ("", "no program \"\" in PATH", "Install it"),
    ];
    for (program, says, hint) in wrong {
        let error = pgq(&database, &["work", "-e", "a", "--", program]).ends(2);
        assert!(error.contains(says) && error.contains(&format!("hint: {hint}")), "{program}: {error}");
    }
    assert_eq!(live(&mut session, id).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
    assert!(log(&mut session, id).is_empty());
}

#[test]
fn a_script_in_this_folder_is_told_how_it_is_named() {
    let (database, folder) = (database(), Folder::new());
    executable(&folder.file("handler", "#!/bin/sh\n"));
    let mut bare = command(&database, &["work", "-e", "a", "--", "handler"]);
    let error = crate::pgq::ran(bare.current_dir(folder.path())).ends(2);
    assert!(error.contains("hint: In this folder: -- ./handler"), "{error}");
}

#[test]
fn arguments_that_make_no_sense_are_refused() {
    let database = database();
    let wrong: [(&[&str], &str); 11] = [
        (&["--", "true"], "--entrypoint"),
        (&["-e", "a"], "PROGRAM|--http"),
        (&["-e", "a", "--http", "http://x/", "--", "true"], "cannot be used with"),
        (&["-e", "a", "-e", "a", "--", "true"], "named twice"),
        (&["-e", "a=0", "--", "true"], "number of jobs"),
        (&["-e", "a", "-c", "0", "--", "true"], "0"),
        (&["-e", "a", "--lease", "1ms", "--", "true"], "lease must be at least 1 s"),
        (&["-e", "a", "--timeout", "soon", "--", "true"], "length of time"),
        (&["-e", "a", "--header", "a: b", "--", "true"], "are for --http"),
        (&["-e", "a", "--http", "ftp://x/"], "no URL of http"),
        (&["-e", "a", "--http", "http://me:secret@x/"], "not taken from the URL"),
    ];
    for (args, says) in wrong {
        let error = pgq(&database, &[&["work"], args].concat()).ends(2);
        assert!(error.contains(says) && !error.contains("secret@"), "{args:?}: {error}");
    }
    let long = "x".repeat(256);
    assert!(pgq(&database, &["work", "-e", &long, "--", "true"]).ends(2).contains("1 to 255 bytes"));
}

#[test]
fn a_database_without_the_queue_is_an_error_and_a_hint() {
    let error = pgq(&empty_database(), &["work", "-e", "a", "--", "true"]).ends(1);
    assert!(error.contains("hint: Install the extension in this database: pgq install"), "{error}");
    let mut nowhere = command(&database(), &["work", "-e", "a", "--", "true"]);
    let address = database().address().replace("dbname=", "dbname=no_such_");
    assert!(crate::pgq::ran(nowhere.env("PGQUEUER_DSN", address)).ends(3).contains("no connection to"));
}

#[test]
fn a_program_that_vanishes_stops_the_worker_and_costs_no_job_an_attempt() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let handler = folder.file("handler", format!("#!/bin/sh\necho $PGQ_ID > {}/ran\n", folder.path().display()));
    executable(&handler);
    let mut working = Working::run(command(&database, &["work", "-e", "a", "--", &handler]));
    run(&mut session, "SELECT pgq.enqueue('a')");
    written(&folder, "ran");
    until("it is done", || (value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]) == 0).then_some(()));
    std::fs::remove_file(&handler).unwrap();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    assert_eq!(working.code(), Some(1));
    assert!(working.err().contains("the worker has stopped: cannot run") && working.err().contains("handler"));
    assert_eq!(live(&mut session, id).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
    assert!(log(&mut session, id).is_empty());
}

#[test]
fn a_program_without_a_first_line_stops_the_worker_too() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let id: i64 = value(&mut session, "SELECT pgq.enqueue('a')", &[]);
    let handler = folder.file("handler", "echo no first line\n");
    executable(&handler);
    let mut working = Working::run(command(&database, &["work", "-e", "a", "--", &handler]));
    assert_eq!(working.code(), Some(1));
    assert!(working.err().contains("Exec format error"), "{}", working.err());
    assert_eq!(live(&mut session, id).map(|job| (job.0, job.1)), Some(("queued".into(), 0)));
}
