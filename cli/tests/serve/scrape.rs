//! `pgq metrics --listen`: formats, health, many who ask at one time, its end.

use crate::exporter::{Exporter, promtool};
use crate::metrics::work;
use crate::pgq::{command, pgq, ran};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{Cluster, database};
use pgqueuer_e2e::until::until;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::{Duration, Instant};

const OPEN: &str =
    "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2\r\n";

#[test]
fn each_scraper_gets_the_format_that_it_asks_for() {
    let database = database();
    work(&database, "fetch");
    let exporter = Exporter::start(&database, &[]);
    let plain = exporter.get("/metrics", "");
    assert!(plain.head.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{}", plain.head);
    assert_eq!(promtool(&["check", "metrics"], &plain.body), "");
    let open = exporter.get("/metrics", OPEN);
    assert!(open.head.contains("content-type: application/openmetrics-text; version=1.0.0"), "{}", open.head);
    assert!(open.body.ends_with("\n# EOF\n") && !plain.body.contains("EOF"));
    assert!(
        open.body.contains("# TYPE pgqueuer_enqueued counter\n") && open.body.contains("\npgqueuer_enqueued_total{")
    );
    assert!(open.body.contains(",le=\"1.0\"} ") && plain.body.contains(",le=\"1\"} "));
    // A family stands in one place.
    let names: Vec<&str> =
        open.body.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(names.len(), once.len());
    assert!(exporter.get("/", "").body.contains("href=\"metrics\""));
    assert_eq!((exporter.get("/nothing", "").status, exporter.get("/metrics?x=1", "").status), (404, 200));
}

#[test]
fn however_many_ask_the_database_is_asked_one_thing_at_a_time() {
    let database = database();
    let exporter = Exporter::start(&database, &[]);
    let away = format!("pgqueuer_up{{database=\"{}\"}} 0\n", database.name);
    let mut locker = database.connect();
    let mut watcher = database.connect();
    // Whatever reads the settings waits, until its limit.
    run(&mut locker, "BEGIN; LOCK TABLE pgq.entrypoints");
    let done = AtomicBool::new(false);
    let begun = Instant::now();
    let most = std::thread::scope(|scope| {
        (0..10).for_each(|_| exporter.ask_and_leave());
        let scrapers: Vec<_> = (0..30).map(|_| scope.spawn(|| exporter.metrics())).collect();
        let watching = scope.spawn(|| {
            let mut most = 0_i64;
            while !done.load(SeqCst) {
                let sql = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgq' AND state <> 'idle' AND datname = current_database()";
                most = most.max(value(&mut watcher, sql, &[]));
            }
            most
        });
        let pages: Vec<String> = scrapers.into_iter().map(|scraper| scraper.join().unwrap()).collect();
        done.store(true, SeqCst);
        assert!(pages.iter().all(|page| page.contains(&away)));
        watching.join().unwrap()
    });
    assert_eq!(most, 1);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    run(&mut locker, "ROLLBACK");
    until("it answers again", || exporter.metrics().contains("pgqueuer_info").then_some(()));
}

#[test]
fn who_asks_again_at_once_gets_the_same_look() {
    let database = database();
    let exporter = Exporter::start(&database, &[]);
    let took = |page: String| page.lines().find(|line| line.starts_with("pgqueuer_look_seconds{")).unwrap().to_owned();
    let (first, again) = (took(exporter.metrics()), took(exporter.metrics()));
    assert_eq!(first, again);
    until("a new look", || (took(exporter.metrics()) != first).then_some(()));
}

#[test]
fn health_is_503_only_where_nothing_is_handed_out() {
    let database = database();
    let exporter = Exporter::start(&database, &[]);
    let well = exporter.get("/healthz", "");
    assert_eq!((well.status, well.body), (200, format!("{}: ok\n", database.name)));
    run(&mut database.connect(), "ALTER TABLE pgq.job SET (autovacuum_enabled = off)");
    let other = Exporter::start(&database, &[]);
    let ill = other.get("/healthz", "");
    assert_eq!((ill.status, ill.body), (200, format!("{}: see pgq health: autovacuum\n", database.name)));
    assert_eq!(
        other.samples()[&format!("pgqueuer_health_ok{{database=\"{}\",check=\"autovacuum\"}}", database.name)],
        0.0
    );

    let bare = Cluster::start(&[("shared_preload_libraries", "")]);
    let bare = bare.database();
    let exporter = Exporter::start(&bare, &[]);
    let answer = exporter.get("/healthz", "");
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("see pgq health: preload"), "{}", answer.body);
    assert_eq!(exporter.samples()[&format!("pgqueuer_preloaded{{database=\"{}\"}}", bare.name)], 0.0);
}

#[test]
fn it_ends_when_it_is_told_and_says_when_it_cannot_begin() {
    let database = database();
    let mut exporter = Exporter::start(&database, &[]);
    exporter.metrics();
    let taken = pgq(&database, &["metrics", "--listen", &exporter.address]).ends(1);
    assert!(taken.contains("cannot listen on"), "{taken}");
    assert_eq!(exporter.end(), (Some(0), String::new()));
    for wrong in [vec!["--listen", "everywhere"], vec!["--timeout", "0"], vec!["--max-entrypoints", "0"]] {
        pgq(&database, &[vec!["metrics"], wrong].concat()).ends(2);
    }
    // The port that nobody has to remember, and the environment.
    let help = ran(&mut command(&database, &["metrics", "--help"])).ok();
    assert!(help.contains("PGQUEUER_METRICS_LISTEN") && help.contains("19187"), "{help}");
}
