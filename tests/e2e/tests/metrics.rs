//! `pgq.metrics`: what it counts is what was done, Prometheus reads it, and it costs no more for a long queue.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop, database};
use pgqueuer_e2e::until::until;
use pgqueuer_e2e::waiter::Waiter;
use postgres::Client;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn metrics(session: &mut Client) -> String {
    value(session, "SELECT pgq.metrics()", &[])
}

/// The samples, by name and labels.
fn samples(session: &mut Client) -> BTreeMap<String, f64> {
    let text = metrics(session);
    let samples = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.rsplit_once(' '));
    samples.map(|(name, number)| (name.to_owned(), number.parse().unwrap())).collect()
}

/// One metric of the entrypoint `fetch`; 0 where there is none.
fn of_fetch(session: &mut Client, metric: &str) -> f64 {
    samples(session).get(&format!("pgqueuer_{metric}{{entrypoint=\"fetch\"}}")).copied().unwrap_or(0.0)
}

/// What promtool says; nothing where all is well.
fn complaints(text: &str) -> String {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().unwrap_or_else(|error| panic!("promtool: {error}. `make test` fetches it."));
    promtool.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    if output.status.success() { String::new() } else { format!("{}{}", output.status, String::from_utf8_lossy(&said)) }
}

/// Does a bit of everything with an entrypoint.
fn work(session: &mut Client, entrypoint: &str) {
    let ids = enqueue(session, entrypoint, 4);
    assert_eq!(dequeue(session, entrypoint, 3), ids[..3]);
    complete(session, &ids[..1]);
    session.query("SELECT pgq.fail($1, 'boom')", &[&ids[1]]).unwrap();
    session.query("SELECT pgq.pause($1)", &[&entrypoint]).unwrap();
}

#[test]
fn promtool_accepts_it_whatever_an_entrypoint_is_called() {
    let database = database();
    let mut session = database.connect();
    assert_eq!(complaints(&metrics(&mut session)), "", "of an empty queue");
    let hostile = "say \"hi\" \\n \\\n } 7 größe 🐘\r\t=,{";
    work(&mut session, hostile);
    work(&mut session, "fetch");
    let text = metrics(&mut session);
    assert_eq!(complaints(&text), "");
    let shown = "pgqueuer_enqueued_total{entrypoint=\"say \\\"hi\\\" \\\\n \\\\\\n } 7 größe 🐘\r\t=,{\"} 4\n";
    assert!(text.contains(shown), "{text}");
    assert_ne!(complaints("no metric\n"), "", "promtool finds what is wrong");
}

#[test]
fn a_counter_counts_what_was_enqueued_and_nothing_that_was_rolled_back() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 5);
    run(&mut session, "SELECT pgq.enqueue('fetch'), pgq.enqueue('fetch', delay => '1 h')");
    run(&mut session, "INSERT INTO pgq.jobs (entrypoint) VALUES ('fetch'), ('fetch')");
    let mut copy = session.copy_in("COPY pgq.jobs (entrypoint) FROM STDIN").unwrap();
    copy.write_all(b"fetch\nparse\n").unwrap();
    copy.finish().unwrap();
    assert_eq!(of_fetch(&mut session, "enqueued_total"), 10.0);
    run(&mut session, "SELECT pgq.enqueue('fetch', dedupe_key => 'k')");
    run(&mut session, "SELECT pgq.enqueue('fetch', dedupe_key => 'k', on_conflict => 'skip')");
    run(&mut session, "SELECT pgq.enqueue('fetch', dedupe_key => 'k', on_conflict => 'replace')");
    run(&mut session, "SELECT pgq.enqueue('fetch', dedupe_key => 'l', on_conflict => 'replace')");
    assert_eq!(of_fetch(&mut session, "enqueued_total"), 12.0, "one with each key");
    run(&mut session, "BEGIN; SELECT pgq.enqueue('fetch'); ROLLBACK");
    run(
        &mut session,
        "BEGIN; SELECT pgq.enqueue('fetch'); SAVEPOINT a; SELECT pgq.enqueue('fetch'); ROLLBACK TO a; COMMIT",
    );
    run(
        &mut session,
        "SELECT pgq.reschedule(ARRAY(SELECT id FROM pgq.jobs)), pgq.configure('fetch', max_attempts => 3)",
    );
    assert_eq!(of_fetch(&mut session, "enqueued_total"), 13.0);
    assert_eq!(samples(&mut session)["pgqueuer_enqueued_total{entrypoint=\"parse\"}"], 1.0);
}

/// Ends jobs in every way, each as often as the log then says.
fn end_in_every_way(session: &mut Client, ids: &[i64]) {
    assert_eq!(dequeue(session, "fetch", 12), ids[..12]);
    complete(session, &ids[..2]);
    let finish = "SELECT pgq.finish($1, '{successful,exception,failed,failed}')";
    session.query(finish, &[&&ids[2..6]]).unwrap();
    let one = |session: &mut Client, call: &str, id: i64| drop(session.query(call, &[&id]).unwrap());
    one(session, "SELECT pgq.complete($1)", ids[6]);
    one(session, "SELECT pgq.fail($1, 'again')", ids[7]);
    one(session, "SELECT pgq.retry($1, '1 h')", ids[8]);
    run(session, "SELECT pgq.configure('fetch', max_attempts => 1)");
    one(session, "SELECT pgq.fail($1, 'for good')", ids[9]);
    run(session, "SELECT pgq.configure('fetch', on_failure => 'delete')");
    one(session, "SELECT pgq.fail($1, 'for good')", ids[10]);
    session.query("SELECT pgq.release($1)", &[&&ids[11..12]]).unwrap();
    session.query("SELECT pgq.cancel($1)", &[&&ids[4..5]]).unwrap();
    session.query("SELECT pgq.cancel($1)", &[&&ids[11..14]]).unwrap();
    session.query("SELECT pgq.delete($1)", &[&&[ids[5], ids[14], ids[14]][..]]).unwrap();
    assert_eq!(dequeue(session, "fetch", 1), ids[15..16]);
    session.query("SELECT pgq.cancel($1)", &[&&ids[15..16]]).unwrap();
}

#[test]
fn counters_of_ends_equal_the_log() {
    let database = database();
    let (mut session, mut lost) = (database.connect(), database.connect());
    let ids = enqueue(&mut session, "fetch", 20);
    end_in_every_way(&mut session, &ids);
    assert_eq!(dequeue(&mut lost, "fetch", 2), ids[16..18]);
    drop(lost);
    until("the claims are released", || {
        let sql = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released'";
        (value::<i64>(&mut session, sql, &[]) == 2).then_some(())
    });
    // What is rolled back has not happened.
    run(&mut session, "SET pgqueuer.rollback_delay = 0; BEGIN");
    let claimed = dequeue(&mut session, "fetch", 2);
    complete(&mut session, &claimed);
    run(&mut session, "SELECT pgq.clear(); ROLLBACK");
    run(&mut session, "SELECT pgq.clear()");
    let log = "SELECT string_agg(format('%s %s', outcome, count), E'\\n' ORDER BY outcome::text)
                 FROM (SELECT outcome, count(*) FROM pgq.job_log GROUP BY outcome) AS l";
    let logged: String = value(&mut session, log, &[]);
    let all = samples(&mut session);
    let words = ["canceled", "deleted", "exception", "failed", "released", "retried", "successful"];
    let count = |word| all[&format!("pgqueuer_ended_total{{entrypoint=\"fetch\",outcome=\"{word}\"}}")];
    let counted: Vec<String> = words.iter().map(|word| format!("{word} {}", count(word))).collect();
    assert_eq!(counted.join("\n"), logged);
    assert_eq!(logged, "canceled 5\ndeleted 8\nexception 2\nfailed 3\nreleased 2\nretried 2\nsuccessful 4");
    // 12, one, and the two that were lost.
    assert_eq!(of_fetch(&mut session, "claims_total"), 15.0);
    assert_eq!(of_fetch(&mut session, "wait_seconds_count"), 15.0);
    let by_worker = 4.0 + 2.0 + 3.0 + 2.0;
    assert_eq!(of_fetch(&mut session, "run_seconds_count"), by_worker);
    assert!(of_fetch(&mut session, "run_seconds_sum") > 0.0);
    assert_eq!(of_fetch(&mut session, "in_flight_jobs"), 0.0);
}

#[test]
fn gauges_show_the_queue_as_it_is() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 6);
    run(&mut session, "SELECT pgq.enqueue('fetch', priority => i) FROM generate_series(1, 12) AS i");
    run(&mut session, "SELECT pgq.enqueue('fetch', priority => i, delay => '1 h') FROM generate_series(3, 4) AS i");
    run(&mut session, "SELECT pgq.enqueue('fetch', execute_after => 'infinity')");
    run(&mut session, "INSERT INTO pgq.jobs (entrypoint, created) VALUES ('fetch', now() - interval '1 day')");
    run(&mut session, "SELECT pgq.configure('fetch', concurrency_limit => 5), pgq.pause('parse')");
    assert_eq!(dequeue(&mut session, "fetch", 9).len(), 5);
    run(&mut session, "SELECT pgq.finish(ARRAY(SELECT id FROM pgq.claims() LIMIT 2), '{failed,failed}')");
    let waiter = Waiter::calls(&database, "CALL pgq.wait('{nothing of this kind}', '30 s')");
    waiter.until_asleep(&mut session);
    let all = samples(&mut session);
    let of = |metric: &str| all[&format!("pgqueuer_{metric}{{entrypoint=\"fetch\"}}")];
    assert_eq!((of("in_flight_jobs"), of("due_jobs"), of("deferred_jobs"), of("held_jobs")), (3.0, 14.0, 3.0, 2.0));
    let age = of("oldest_due_job_age_seconds");
    assert!((86_400.0..86_500.0).contains(&age), "{age}");
    assert_eq!((of("concurrency_limit_jobs"), of("paused")), (5.0, 0.0));
    assert_eq!(all["pgqueuer_paused{entrypoint=\"parse\"}"], 1.0);
    assert_eq!((all["pgqueuer_workers{kind=\"session\"}"], all["pgqueuer_workers{kind=\"named\"}"]), (1.0, 0.0));
    assert_eq!((all["pgqueuer_waiting_sessions"], all["pgqueuer_database_worker_running"]), (1.0, 1.0));
    assert_eq!((all["pgqueuer_preloaded"], all["pgqueuer_standby"]), (1.0, 0.0));
    assert!(all["pgqueuer_memory_used{of=\"claims\"}"] >= 3.0 && all["pgqueuer_log_bytes"] > 0.0);
    waiter.cancel.cancel_query(postgres::NoTls).unwrap();
}

/// Buffers that one call touches.
fn buffers(session: &mut Client) -> i64 {
    let explained: Value = value(session, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT pgq.metrics()", &[]);
    ["Shared Hit Blocks", "Shared Read Blocks"].iter().map(|kind| explained[0]["Plan"][kind].as_i64().unwrap()).sum()
}

const FILL: &str = "INSERT INTO pgq.job (id, created, due, priority, entrypoint, held)
    SELECT nextval('pgq.job_id_seq'), now(), CASE i % 4 WHEN 0 THEN 'infinity' WHEN 1 THEN now() + interval '1 h' ELSE now() END,
           i % 2, 'fetch', i % 4 = 0 FROM generate_series(1, $1::int) AS i";

#[test]
fn a_long_queue_costs_as_much_as_a_short_one() {
    let cluster = Cluster::start(&[("autovacuum", "off")]);
    let database = cluster.database();
    let mut session = database.connect();
    session.execute(FILL, &[&20_000]).unwrap();
    metrics(&mut session);
    let few = buffers(&mut session);
    session.execute(FILL, &[&180_000]).unwrap();
    let many = buffers(&mut session);
    println!("{few} buffers with 20,000 jobs, {many} with 200,000");
    assert!(many < few + few / 4, "{few} buffers with 20,000 jobs, {many} with 200,000");
    let all = ["due_jobs", "deferred_jobs", "held_jobs"].map(|metric| of_fetch(&mut session, metric));
    assert_eq!(all, [10_000.0, 1000.0, 1000.0], "counted up to the bounds");
    assert_eq!(samples(&mut session)["pgqueuer_count_limit_jobs{of=\"due\"}"], 10_000.0);
    assert_eq!(samples(&mut session)["pgqueuer_count_limit_jobs{of=\"held\"}"], 1000.0);
}

/// An old snapshot keeps the rows of ended jobs at the head of the index.
#[test]
fn dead_rows_under_an_old_snapshot_are_not_walked() {
    let cluster = Cluster::start(&[("autovacuum", "off")]);
    let database = cluster.database();
    let (mut session, mut old) = (database.connect(), database.connect());
    enqueue(&mut session, "fetch", 10);
    metrics(&mut session);
    let fresh = buffers(&mut session);
    run(&mut old, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1");
    enqueue(&mut session, "fetch", 50_000);
    loop {
        let ids = dequeue(&mut session, "fetch", 1000);
        if complete(&mut session, &ids).is_empty() {
            break;
        }
    }
    enqueue(&mut session, "fetch", 10);
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
    let dead = buffers(&mut session);
    println!("{fresh} buffers with a fresh queue, {dead} with 50,000 dead rows");
    assert!(dead < fresh + 200, "{fresh} buffers with a fresh queue, {dead} with 50,000 dead rows");
    assert_eq!(of_fetch(&mut session, "due_jobs"), 9.0);
}

#[test]
fn jobs_of_before_a_restart_are_seen_though_nobody_has_asked_for_them() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 3);
    run(&mut session, "SELECT pgq.enqueue('kind ' || i, priority => i) FROM generate_series(1, 40) AS i");
    drop(session);
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    assert_eq!((of_fetch(&mut session, "due_jobs"), of_fetch(&mut session, "enqueued_total")), (3.0, 0.0));
    let kinds =
        samples(&mut session).into_keys().filter(|name| name.starts_with("pgqueuer_due_jobs{entrypoint=\"kind"));
    assert_eq!(kinds.count(), 40);
}

#[test]
fn entrypoints_without_a_place_are_counted_together() {
    let cluster = Cluster::start(&[("pgqueuer.max_entrypoints", "16")]);
    let database = cluster.database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.enqueue('kind ' || i) FROM generate_series(1, 40) AS i");
    assert_eq!(complaints(&metrics(&mut session)), "");
    let all = samples(&mut session);
    let enqueued = all.iter().filter(|(name, _)| name.starts_with("pgqueuer_enqueued_total"));
    assert_eq!(enqueued.map(|(_, count)| count).sum::<f64>(), 40.0);
    assert_eq!(all["pgqueuer_enqueued_total{entrypoint=\"\"}"], 25.0);
    assert_eq!(all["pgqueuer_enqueued_total{entrypoint=\"kind 1\"}"], 1.0);
    // A new extension counts anew.
    run(&mut session, "DROP EXTENSION pgqueuer");
    run(&mut session, "CREATE EXTENSION pgqueuer");
    run(&mut session, "SELECT pgq.enqueue('fetch')");
    assert_eq!(of_fetch(&mut session, "enqueued_total"), 1.0);
    assert!(!samples(&mut session).contains_key("pgqueuer_enqueued_total{entrypoint=\"\"}"));
}

#[test]
fn without_the_preload_line_rows_are_counted_and_memory_is_left_out() {
    let cluster = Cluster::start(&[("shared_preload_libraries", "")]);
    let database = cluster.database();
    let mut session = database.connect();
    enqueue(&mut session, "fetch", 3);
    let text = metrics(&mut session);
    assert_eq!(complaints(&text), "");
    assert!(text.contains("pgqueuer_preloaded 0\n") && !text.contains("pgqueuer_enqueued_total"), "{text}");
    assert_eq!(of_fetch(&mut session, "due_jobs"), 3.0);
}

#[test]
fn a_standby_tells_what_its_rows_tell() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue(&mut session, "fetch", 1), ids[..1]);
    let standby = Cluster::standby_of(&primary);
    let mut copy = standby.connect(&database.name);
    let text = metrics(&mut copy);
    assert_eq!(complaints(&text), "");
    assert!(text.contains("pgqueuer_standby 1\n") && !text.contains("pgqueuer_in_flight_jobs"), "{text}");
    assert_eq!(of_fetch(&mut copy, "due_jobs"), 3.0);
}

/// Rows of a table: name, type, labels, meaning.
type Row = (String, String, String, String);

/// What is printed, with the labels that the samples have.
fn printed(text: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = vec![];
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            rows.push((name.to_owned(), String::new(), String::new(), help.to_owned()));
        } else if let Some((_, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.rsplit_once(' ')) {
            rows.last_mut().unwrap().1 = kind.to_owned();
        } else {
            let labels = line.split_once('{').map_or("", |(_, labels)| labels);
            let names = labels.split("=\"").filter_map(|part| part.rsplit(['"', ',']).next());
            let names = names.filter(|name| !name.is_empty() && *name != "le" && !name.contains('}'));
            rows.last_mut().unwrap().2 = names.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        }
    }
    rows
}

#[test]
fn the_page_of_metrics_has_what_is_printed_and_nothing_else() {
    let database = database();
    let mut session = database.connect();
    work(&mut session, "fetch");
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let page = std::fs::read_to_string(page).unwrap();
    let documented: Vec<&str> = page.lines().filter(|line| line.starts_with("| `pgqueuer_")).collect();
    let mut printed = printed(&metrics(&mut session));
    printed.sort();
    let line = |(name, kind, labels, help): &Row| format!("| `{name}` | {kind} | {labels} | {help} |");
    assert_eq!(documented, printed.iter().map(line).collect::<Vec<_>>());
}
