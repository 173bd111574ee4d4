//! While the database is away, or says nothing, scrapers still get their answer; and when it is back, all of it.

use crate::assistant::Assistant;
use crate::exporter::{Exporter, samples};
use crate::metrics::work;
use crate::pgq::bare;
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::frozen::Frozen;
use pgqueuer_e2e::until::until_within;
use serde_json::json;
use std::io::Read;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[test]
fn a_server_that_is_restarted_is_told_as_away_and_comes_back() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut exporter = Exporter::start(&database, &[]);
    let up = format!("pgqueuer_up{{database=\"{}\"}}", database.name);
    assert_eq!(exporter.samples()[&up], 1.0);
    cluster.stop(Stop::Immediate);
    let away = until_within(Duration::from_secs(10), "it is away", || {
        Some(exporter.metrics()).filter(|page| samples(page)[&up] == 0.0)
    });
    assert!(!away.contains("pgqueuer_due_jobs") && !away.contains("pgqueuer_health_ok"), "nothing old is told: {away}");
    let health = exporter.get("/healthz", "");
    assert_eq!((health.status, health.body), (503, format!("{}: does not answer\n", database.name)));
    cluster.begin();
    until_within(Duration::from_secs(20), "it is back", || (exporter.samples()[&up] == 1.0).then_some(()));
    assert_eq!(exporter.get("/healthz", "").status, 200);
    let (code, said) = exporter.end();
    assert_eq!(code, Some(0));
    // What went wrong is said once, not with each scrape.
    assert!(said.contains("no connection to 127.0.0.1") && said.contains("answers again"), "{said}");
    assert!(said.matches("no connection").count() <= 3, "{said}");
}

#[test]
fn a_standby_is_looked_at_like_any_other() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    work(&database, "fetch");
    let standby = Cluster::standby_of(&cluster);
    let there = standby.named(&database.name);
    let exporter = Exporter::start(&there, &[]);
    let told = exporter.samples();
    assert_eq!(told[&format!("pgqueuer_standby{{database=\"{}\"}}", there.name)], 1.0);
    assert_eq!(exporter.get("/healthz", "").status, 200, "{:?}", exporter.get("/healthz", ""));
    let mut assistant = Assistant::start(&there, &[]);
    for tool in ["queue_size", "queue_age", "health", "active_workers", "queue_log", "schema_info"] {
        assistant.call(tool, json!({})).ok();
    }
}

#[test]
fn a_server_that_stands_still_in_the_middle_is_given_up_and_asked_again() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let exporter = Exporter::start(&database, &["--timeout", "1"]);
    let mut assistant = Assistant::start(&database, &["--timeout", "1"]);
    let up = format!("pgqueuer_up{{database=\"{}\"}}", database.name);
    assert_eq!(exporter.samples()[&up], 1.0);
    assistant.call("queue_size", json!({})).ok();
    let frozen = Frozen::of(cluster.processes());
    let begun = Instant::now();
    until_within(Duration::from_secs(10), "it is away", || (exporter.samples()[&up] == 0.0).then_some(()));
    assert!(begun.elapsed() < Duration::from_secs(9), "{:?}", begun.elapsed());
    let refused = assistant.call("queue_size", json!({})).refused();
    assert!(refused.contains("in time"), "{refused}");
    drop(frozen);
    until_within(Duration::from_secs(20), "it is back", || (exporter.samples()[&up] == 1.0).then_some(()));
    assistant.call("queue_size", json!({})).ok();
}

#[test]
fn a_server_that_says_nothing_keeps_nobody_waiting() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let dsn = format!("host=127.0.0.1 port={} user=u dbname=silent", silent.local_addr().unwrap().port());
    let exporter = Exporter::of(&mut bare(&["metrics", "--listen", "127.0.0.1:0", "--timeout", "1", "--dsn", &dsn]));
    let begun = Instant::now();
    assert_eq!(exporter.samples()["pgqueuer_up{database=\"silent\"}"], 0.0);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // It has left again.
    let (mut session, _) = silent.accept().unwrap();
    let mut said = vec![];
    session.read_to_end(&mut said).unwrap();
    assert!(!said.is_empty());
}
