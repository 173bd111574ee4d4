//! `pgq metrics` prints what `pgq.metrics()` says, and what only an observer knows.

use crate::exporter::{promtool, samples};
use crate::pgq::{bare, command, pgq, ran};
use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::{Database, database};

/// Does a bit of everything with an entrypoint.
pub fn work(database: &Database, entrypoint: &str) {
    let mut session = database.connect();
    enqueue(&mut session, entrypoint, 5);
    for call in ["complete(id)", "fail(id, 'boom')", "retry(id, '1 h')", "release(ARRAY[id])"] {
        session.query(&format!("SELECT pgq.{call} FROM pgq.dequeue(ARRAY[$1::text])"), &[&entrypoint]).unwrap();
    }
    session.query("SELECT pgq.pause($1)", &[&entrypoint]).unwrap();
}

#[test]
fn it_prints_every_number_of_the_queue_with_the_name_of_the_database() {
    let database = database();
    let hostile = "say \"hi\" \\n \\\n } 7 größe 🐘\r\t=,{entrypoint=\"x\"}";
    work(&database, "fetch");
    work(&database, hostile);
    pgq(&database, &["schedules", "add", hostile, "@daily"]).ok();
    let page = pgq(&database, &["metrics"]).ok();
    assert_eq!(promtool(&["check", "metrics"], &page), "");
    let asked: String = value(&mut database.connect(), "SELECT pgq.metrics()", &[]);
    let told = samples(&page);
    let label = format!("database=\"{}\"", database.name);
    let steady = |name: &str| {
        !["age_seconds", "snapshot", "rows", "bytes", "wait", "memory"].iter().any(|part| name.contains(part))
    };
    let (mut compared, mut named) = (0, 0);
    for (name, number) in samples(&asked).into_iter().filter(|(name, _)| steady(name)) {
        let name = match name.split_once('{') {
            Some((name, labels)) => format!("{name}{{{label},{labels}"),
            None => format!("{name}{{{label}}}"),
        };
        assert_eq!(told.get(&name), Some(&number), "{name}");
        compared += 1;
        named += usize::from(name.contains("größe"));
    }
    assert!(compared > 40 && named > 15, "{compared} {named}: {page}");
    assert_eq!(told[&format!("pgqueuer_up{{{label}}}")], 1.0);
    assert_eq!(told[&format!("pgqueuer_health_ok{{{label},check=\"preload\"}}")], 1.0);
    assert_eq!(told[&format!("pgqueuer_left_out{{{label},of=\"entrypoints\"}}")], 0.0);
    let schedules: Vec<&String> = told.keys().filter(|name| name.starts_with("pgqueuer_schedule_")).collect();
    assert!(schedules.len() == 2 && schedules.iter().all(|name| name.contains("} 7 größe")), "{schedules:?}");
}

#[test]
fn programs_get_json() {
    let database = database();
    work(&database, "a\"b");
    let all = pgq(&database, &["metrics", "--json"]).json();
    let of = |sample: &&serde_json::Value| sample["name"] == "pgqueuer_enqueued_total";
    let sample = all.as_array().unwrap().iter().find(of).unwrap();
    assert_eq!((&sample["labels"]["entrypoint"], &sample["value"]), (&"a\"b".into(), &5.0.into()));
}

#[test]
fn a_database_that_cannot_be_asked_is_told_as_such_and_by_the_exit_code() {
    let away = ran(&mut bare(&["metrics", "--dsn", "host=127.0.0.1 port=1 user=u dbname=away"]));
    assert_eq!((away.code, samples(&away.out)["pgqueuer_up{database=\"away\"}"]), (3, 0.0));
    assert_eq!(away.err.matches("no connection to 127.0.0.1 port 1").count(), 1, "{}", away.err);
    let empty = pgqueuer_e2e::cluster::empty_database();
    let empty = pgq(&empty, &["metrics"]);
    assert_eq!(empty.code, 1);
    assert!(empty.out.contains("} 0\n") && empty.err.contains("pgq install"), "{empty:?}");
}

#[test]
fn an_application_gets_its_own_entrypoints_by_their_short_names() {
    let database = database();
    for name in ["shop.mail", "crm.mail", "mail"] {
        work(&database, name);
    }
    let page = pgq(&database, &["metrics", "--prefix", "shop."]).ok();
    assert!(page.contains("entrypoint=\"mail\"") && !page.contains("shop.") && !page.contains("crm"), "{page}");
    assert_eq!(page.matches("pgqueuer_enqueued_total{").count(), 1);
    assert_eq!(promtool(&["check", "metrics"], &page), "");
}

#[test]
fn so_many_entrypoints_are_told_and_no_more() {
    let database = database();
    run(
        &mut database.connect(),
        "SELECT pgq.enqueue_many_text(ARRAY(SELECT 'many ' || i FROM generate_series(1, 1100) AS i), array_fill('x'::text, ARRAY[1100]))",
    );
    let told = |args: &[&str]| {
        let page = pgq(&database, args).ok();
        let left_out =
            samples(&page)[&format!("pgqueuer_left_out{{database=\"{}\",of=\"entrypoints\"}}", database.name)];
        (page.matches("\npgqueuer_due_jobs{").count(), left_out)
    };
    assert_eq!(told(&["metrics"]), (1000, 100.0));
    assert_eq!(told(&["metrics", "--max-entrypoints", "20"]), (20, 1080.0));
    assert_eq!(told(&["metrics", "--max-entrypoints", "5000"]), (1100, 0.0));
}

#[test]
fn a_role_that_may_only_look_can_do_it() {
    let database = database();
    let role = format!("monitor_{}", database.name);
    run(&mut database.connect(), &format!("CREATE ROLE {role} LOGIN; SELECT pgq.grant_monitor('{role}')"));
    let dsn = database.address().replace("user=postgres", &format!("user={role}"));
    let page = ran(command(&database, &["metrics"]).env("PGQUEUER_DSN", &dsn)).ok();
    assert!(page.contains("pgqueuer_health_ok{") && page.contains("pgqueuer_up{"), "{page}");
    let all = ran(command(&database, &["metrics", "--all-databases"]).env("PGQUEUER_DSN", &dsn)).out;
    assert_eq!(samples(&all)[&format!("pgqueuer_up{{database=\"{}\"}}", database.name)], 1.0);
}
