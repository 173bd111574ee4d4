//! The library of the last release beside the SQL of this one, and the way from one to the other on a running server. Run by
//! `.ci/with-released 0.1.0 cargo test -p pgqueuer-e2e --test upgrade_library -- --ignored`.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{complete, dequeue, enqueue, refused, run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::health::health;
use pgqueuer_e2e::serving::{complaints, is_told_to_end, until_served};
use postgres::Client;
use std::path::{Path, PathBuf};
use std::process::Command;

const INSTALLED: &str = "SELECT extversion FROM pg_extension WHERE extname = 'pgqueuer'";
const LOADED: &str = "SELECT pgq.library_version()";

/// Where the server looks for its library.
fn place() -> PathBuf {
    let pg_config = std::env::var_os("PG_CONFIG").unwrap();
    let said = Command::new(pg_config).arg("--pkglibdir").output().unwrap().stdout;
    Path::new(String::from_utf8(said).unwrap().trim()).join("pgqueuer.so")
}

/// Puts another library there, as a package does: those who have it loaded keep the old one.
fn put(library: &Path) {
    let new = place().with_extension("so.new");
    std::fs::copy(library, &new).unwrap();
    std::fs::rename(new, place()).unwrap();
}

/// Ten jobs come and go.
fn works(session: &mut Client) {
    let ids = enqueue(session, "fetch", 10);
    assert_eq!(dequeue(session, "fetch", 10), ids);
    assert_eq!(complete(session, &ids), ids);
}

fn says(session: &mut Client, sql: &str) -> String {
    value(session, sql, &[])
}

#[test]
#[ignore = "run by .ci/with-released"]
fn a_running_server_is_upgraded_by_library_restart_and_script() {
    let (old, new) = (place().with_extension("so.old"), PathBuf::from(std::env::var_os("PGQUEUER_LIBRARY").unwrap()));
    std::fs::copy(place(), &old).unwrap();
    let cluster = Cluster::start(&[]);
    let database = cluster.empty_database();
    let mut session = database.connect();
    run(&mut session, "CREATE EXTENSION pgqueuer VERSION '0.1.0'");
    works(&mut session);

    // The script before the library: refused with what to do, and nothing has changed.
    let before_restart = |session: &mut Client| {
        let error = refused(session.batch_execute("ALTER EXTENSION pgqueuer UPDATE"));
        assert_eq!(error.code().code(), "55000", "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("restart the server")), "{error:?}");
        assert_eq!(says(session, INSTALLED), "0.1.0");
        works(session);
    };
    before_restart(&mut session);
    // The new library is there, and the server still has the old one, in old sessions and new ones.
    put(&new);
    before_restart(&mut session);
    before_restart(&mut database.connect());
    let held = enqueue(&mut session, "later", 1);

    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    // The new library serves the old SQL, and health says what is to be done.
    works(&mut session);
    until_served(&mut cluster.connect("postgres"), &database.name);
    let row = health(&mut session, "version");
    assert!(!row.ok && row.hint.contains("ALTER EXTENSION pgqueuer UPDATE"), "{row:?}");
    run(&mut session, "ALTER EXTENSION pgqueuer UPDATE");
    assert_eq!(says(&mut session, INSTALLED), says(&mut session, LOADED));
    assert!(health(&mut session, "version").ok);
    works(&mut session);
    assert_eq!(dequeue(&mut session, "later", 1), held);

    // And back to the old library, which is what a standby has that was not upgraded yet: it serves the new SQL.
    put(&old);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    assert_eq!(says(&mut session, LOADED), "0.1.0");
    works(&mut session);
    assert_eq!(dequeue(&mut session, "later", 1), held);
    until_served(&mut cluster.connect("postgres"), &database.name);
    assert!(!health(&mut session, "version").ok);
    let log = cluster.log();
    let complaints = complaints(&log);
    assert!(complaints.iter().all(|line| is_told_to_end(line)), "{complaints:?}");
}
