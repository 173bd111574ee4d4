//! `--all-databases`: every one that has a queue, and none that has not.

use crate::exporter::{Exporter, promtool, samples};
use crate::metrics::work;
use crate::pgq::pgq;
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::Cluster;

#[test]
fn all_queues_of_a_server_are_told_each_with_its_database() {
    let cluster = Cluster::start(&[]);
    let (one, other, none) = (cluster.database(), cluster.database(), cluster.empty_database());
    let mut session = cluster.connect("postgres");
    let hostile = "we\"ird\\ {x=\"1\"} 漢";
    run(&mut session, "CREATE DATABASE \"we\"\"ird\\ {x=\"\"1\"\"} 漢\" TEMPLATE pattern");
    work(&one, "fetch");
    work(&other, "fetch");
    let exporter = Exporter::start(&one, &["--all-databases"]);
    let page = exporter.metrics();
    assert_eq!(promtool(&["check", "metrics"], &page), "");
    let told = samples(&page);
    let up: Vec<&String> = told.keys().filter(|name| name.starts_with("pgqueuer_up{")).collect();
    assert!(!page.contains(&none.name) && !page.contains("\"postgres\""), "{up:?}");
    assert!(page.contains("pgqueuer_up{database=\"we\\\"ird\\\\ {x=\\\"1\\\"} 漢\"} 1\n"), "{up:?}");
    for database in [&one, &other] {
        assert_eq!(
            told[&format!("pgqueuer_enqueued_total{{database=\"{}\",entrypoint=\"fetch\"}}", database.name)],
            5.0
        );
    }
    let health = exporter.get("/healthz", "");
    assert!(health.status == 200 && health.body.lines().count() == up.len(), "{health:?}");
    assert!(health.body.contains(hostile), "{health:?}");
    // Nobody is kept from dropping one, and its end is no alarm for the others.
    run(&mut session, &format!("DROP DATABASE {}", other.name));
    let printed = pgq(&one, &["metrics", "--all-databases"]).ok();
    assert!(!printed.contains(&other.name) && printed.contains(&one.name));
}

#[test]
fn a_server_without_any_queue_is_not_well() {
    let cluster = Cluster::start(&[]);
    let none = cluster.empty_database();
    let exporter = Exporter::start(&none, &["--all-databases"]);
    let health = exporter.get("/healthz", "");
    assert_eq!((health.status, health.body.as_str()), (503, "no database of this server has a queue\n"));
    assert_eq!(exporter.get("/metrics", "").status, 200);
}
