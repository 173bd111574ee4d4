//! The database goes away, and comes back.

use crate::terminal::{ORDINARY, Terminal, top};
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::until::until_within;
use std::time::Duration;

#[test]
fn it_says_that_the_database_is_away_and_finds_it_again() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut sql = database.connect();
    sql.batch_execute("SELECT pgq.enqueue('before')").unwrap();
    let mut terminal = Terminal::start(top(&database, &["--interval", "500 ms"]), ORDINARY);
    terminal.shows("> before");
    drop(sql);
    cluster.stop(Stop::Fast);
    let screen = terminal.shows("cannot be reached");
    assert!(screen.contains("trying again") && screen.contains("> before"), "what was seen last stays: {screen}");
    // Keys are answered all the same.
    terminal.press("?");
    terminal.shows("┌ Help");
    terminal.press("x");
    terminal.hides("┌ Help");
    cluster.begin();
    database.connect().batch_execute("SELECT pgq.enqueue('after')").unwrap();
    let screen = terminal.until("it is back", |screen| screen.contains("after") && screen.contains("2 waiting"));
    assert!(!screen.contains("cannot be reached"), "{screen}");
    cluster.stop(Stop::Immediate);
    terminal.shows("cannot be reached");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    terminal.is_given_back();
}

#[test]
fn a_server_that_stands_still_stops_no_key() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    database.connect().batch_execute("SELECT pgq.enqueue('before')").unwrap();
    let mut terminal = Terminal::start(top(&database, &["--interval", "500 ms"]), ORDINARY);
    terminal.shows("> before");
    let frozen = Frozen::of(cluster.processes());
    terminal.press("?");
    terminal.shows("┌ Help");
    terminal.press("x");
    // It is as patient as a statement may take.
    until_within(Duration::from_secs(30), "nobody answers", || {
        terminal.screen().contains("does not answer").then_some(())
    });
    drop(frozen);
    until_within(Duration::from_secs(30), "it answers", || {
        (!terminal.screen().contains("does not answer")).then_some(())
    });
}
