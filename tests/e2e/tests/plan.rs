//! The index serves: every statement of `sql/query` is planned, and a dequeue on a million jobs is counted.
//!
//! Statements, the types of their parameters and the settings under which they are planned are read from the source, so
//! a new one is planned here without anybody thinking of it.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{Cluster, database, major};
use postgres::Client;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Statements that read the whole queue because that is what was asked for.
const READS_ALL: [&str; 1] = ["clear"];

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn read(path: &str) -> String {
    std::fs::read_to_string(source(path)).unwrap()
}

/// The SQL name of a type that the source calls by its identifier, such as `INT8ARRAYOID`.
fn type_name(identifier: &str) -> String {
    if identifier == "TIMES" {
        return "timestamptz[]".to_owned();
    }
    let name = identifier.strip_suffix("OID").unwrap().to_lowercase();
    name.strip_suffix("array").map_or(name.clone(), |element| format!("{element}[]"))
}

/// Name and parameter types of each statement: lines such as `LOCK = "lock" (INT8ARRAYOID);`.
fn statements() -> BTreeMap<String, Vec<String>> {
    let source = read("src/statement.rs");
    let lines = source.lines().filter_map(|line| line.trim().strip_suffix(");")?.split_once(" = \""));
    lines
        .filter_map(|(_, rest)| rest.split_once("\" ("))
        .map(|(name, types)| {
            (name.to_owned(), types.split(", ").filter(|name| !name.is_empty()).map(type_name).collect())
        })
        .collect()
}

/// The settings under which the library plans: lines such as `(c"enable_seqscan", c"off"),`.
fn settings() -> Vec<(String, String)> {
    let source = read("src/pg/spi.rs");
    let pair = |line: &str| {
        let (name, value) = line.trim().strip_prefix("(c\"")?.strip_suffix("\"),")?.split_once("\", c\"")?;
        Some((name.to_owned(), value.to_owned()))
    };
    source.lines().filter_map(pair).collect()
}

/// Plans a statement as the library does: generic, under its settings, whatever the parameters.
fn plan(session: &mut Client, name: &str, types: &[String]) -> Value {
    let text = read(&format!("sql/query/{name}.sql"));
    let list = |words: Vec<String>| if words.is_empty() { String::new() } else { format!("({})", words.join(", ")) };
    run(session, &format!("PREPARE s {} AS {text}", list(types.to_vec())));
    let parameters = list(vec!["NULL".to_owned(); types.len()]);
    let mut plan: Value = value(session, &format!("EXPLAIN (FORMAT JSON) EXECUTE s {parameters}"), &[]);
    run(session, "DEALLOCATE s");
    plan[0]["Plan"].take()
}

fn planning(session: &mut Client) {
    let settings = settings();
    assert!(settings.contains(&("enable_seqscan".to_owned(), "off".to_owned())), "{settings:?}");
    run(session, "SET plan_cache_mode = force_generic_plan; SET search_path = pg_catalog");
    settings.iter().for_each(|(name, value)| run(session, &format!("SET {name} = {value}")));
}

/// A node and all below it.
fn nodes(plan: &Value) -> Vec<&Value> {
    let below = plan["Plans"].as_array().into_iter().flatten().flat_map(nodes);
    std::iter::once(plan).chain(below).collect()
}

fn reads_jobs(node: &Value) -> bool {
    node["Relation Name"] == "job" && node["Node Type"].as_str().unwrap().contains("Scan")
}

/// What is wrong with a plan: jobs that are read without a condition on an index, or sorted without being a handful that
/// was asked for by id or key.
fn faults(plan: &Value) -> Vec<String> {
    let mut faults = vec![];
    for node in nodes(plan) {
        let kind = node["Node Type"].as_str().unwrap();
        if reads_jobs(node) && (!kind.starts_with("Index") || node["Index Cond"].is_null()) {
            faults.push(format!("{kind} of all jobs"));
        }
        let asked_for = ["job_pkey", "job_dedupe_key_idx"];
        let backlog =
            |below: &&Value| reads_jobs(below) && !asked_for.iter().any(|index| below["Index Name"] == *index);
        if kind.contains("Sort") && nodes(node).iter().any(backlog) {
            faults.push(format!("{kind} of the backlog"));
        }
    }
    faults
}

/// A queue of 40,000 jobs: keys, held ones, deferred ones, several priorities.
const FILL: &str = "
    INSERT INTO pgq.job (id, created, due, priority, entrypoint, dedupe_key, ordering_key, held)
    SELECT nextval('pgq.job_id_seq'), now(), CASE i % 10 WHEN 0 THEN 'infinity' WHEN 1 THEN now() + interval '1 h' ELSE now() END,
           i % 3, 'entrypoint ' || i % 8, CASE i % 5 WHEN 0 THEN 'key ' || i END, CASE i % 4 WHEN 0 THEN 'key ' || i % 100 END, i % 10 = 0
      FROM generate_series(1, 40000) AS i;
    INSERT INTO pgq.job_log (job_id, entrypoint, priority, attempts, outcome, created, finished, slot)
    SELECT i, 'entrypoint ' || i % 8, 0, 0, 'successful', now(), now(), 0 FROM generate_series(1, 20000) AS i;
    ANALYZE pgq.job, pgq.job_log";

fn assert_served_by_indexes(session: &mut Client) {
    planning(session);
    for (name, types) in statements() {
        let plan = plan(session, &name, &types);
        let faults = faults(&plan);
        assert_eq!(faults.is_empty(), !READS_ALL.contains(&name.as_str()), "{name}.sql: {faults:?}: {plan:#}");
    }
}

#[test]
fn every_statement_is_served_by_an_index_on_a_full_queue() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, FILL);
    assert_served_by_indexes(&mut session);
}

/// Plans are kept: those that are made on the first day must be right on the last.
#[test]
fn every_statement_is_served_by_an_index_on_an_empty_queue_too() {
    let database = database();
    assert_served_by_indexes(&mut database.connect());
}

#[test]
fn every_file_with_a_statement_is_planned() {
    let planned: BTreeSet<String> = statements().into_keys().collect();
    let files = std::fs::read_dir(source("sql/query")).unwrap();
    let names = files.map(|file| file.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned());
    assert_eq!(names.collect::<BTreeSet<_>>(), planned);
    assert!(planned.len() > 10, "{planned:?}");
}

#[test]
fn candidates_are_read_from_the_head_of_the_one_index_in_its_order() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, FILL);
    planning(&mut session);
    for name in ["candidates", "next_priority"] {
        let plan = plan(&mut session, name, &statements()[name]);
        let scans = nodes(&plan);
        let scan = scans.iter().find(|node| node["Index Name"] == "job_claim_idx").unwrap();
        let condition = scan["Index Cond"].as_str().unwrap();
        assert!(condition.contains("entrypoint = ") && condition.contains("priority "), "{condition}");
        assert!(name != "candidates" || condition.contains("(due <= "), "{condition}");
        assert!(scans.iter().all(|node| !node["Node Type"].as_str().unwrap().contains("Sort")), "{plan:#}");
    }
}

/// With statistics that say that many jobs have one key, the primary key looks like a cheap way to the lowest id of a key:
/// it would read every older job, for each candidate.
#[test]
fn the_first_job_of_a_key_is_looked_for_by_its_key_whatever_the_statistics_say() {
    let database = database();
    let mut session = database.connect();
    let fill = "INSERT INTO pgq.job (id, created, due, entrypoint, ordering_key)
        SELECT nextval('pgq.job_id_seq'), now(), now(), 'fetch', CASE WHEN i > 5000 THEN 'one key' END
          FROM generate_series(1, 25000) AS i;
        ANALYZE pgq.job";
    run(&mut session, fill);
    planning(&mut session);
    for (name, alias) in [("first_of_keys", "j"), ("look", "k")] {
        let plan = plan(&mut session, name, &statements()[name]);
        let scans = nodes(&plan);
        let first_of_key: Vec<_> = scans.iter().filter(|node| node["Alias"] == alias).collect();
        assert!(!first_of_key.is_empty(), "{plan:#}");
        assert!(first_of_key.iter().all(|node| node["Index Name"] == "job_ordering_key_idx"), "{plan:#}");
    }
}

#[test]
fn the_status_of_a_few_jobs_reads_those_jobs() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, FILL);
    let ten = "SELECT * FROM pgq.status(ARRAY(SELECT generate_series(20001, 20010)))";
    let buffers = cost(&mut session, ten).0.min(cost(&mut session, ten).0);
    assert!(buffers < 350, "{buffers} buffers");
}

/// An ANALYZE of a queue that has just run empty says "no rows" and keeps the table's pages: a plan for no rows would read
/// everything that comes afterwards, with each call.
#[test]
fn an_analyze_of_an_emptied_queue_makes_no_call_read_the_whole_of_the_next() {
    let cluster = Cluster::start(&[("autovacuum", "off")]);
    let database = cluster.database();
    let mut session = database.connect();
    let enqueue = "SELECT count(pgq.enqueue_many_text('{fetch}', array_fill(repeat('x', 100), ARRAY[1000])))
                     FROM generate_series(1, $1::int)";
    session.execute(enqueue, &[&20]).unwrap();
    run(&mut session, "SELECT pgq.complete_many(ARRAY(SELECT id FROM pgq.dequeue('{fetch}', 20000)))");
    run(&mut session, "ANALYZE pgq.job");
    session.execute(enqueue, &[&50]).unwrap();
    let mut session = database.connect();
    let round =
        "SELECT * FROM pgq.complete_many(ARRAY(SELECT id FROM pgq.dequeue('{fetch}', 10))) AS done, unnest(done)";
    cost(&mut session, round);
    let (buffers, _) = cost(&mut session, round);
    assert!(buffers < 1000, "{buffers} buffers");
}

const MILLION: &str = "INSERT INTO pgq.job (id, created, due, execute_after, priority, entrypoint, payload)
    SELECT nextval('pgq.job_id_seq'), now(), now() + $1::text::interval, now() + $1::text::interval, $2, 'entrypoint ' || i % 8, 'x'
      FROM generate_series(1, 1000000) AS i";

/// Buffers that a statement touches and bytes of WAL that it writes. 12 counts neither WAL nor the buffers of planning.
fn cost(session: &mut Client, sql: &str) -> (i64, i64) {
    let counted = if major() < 13 { "BUFFERS" } else { "BUFFERS, WAL" };
    let explained: Value = value(session, &format!("EXPLAIN (ANALYZE, {counted}, FORMAT JSON) {sql}"), &[]);
    let buffers = |part: &Value| {
        let kinds = ["Shared Hit Blocks", "Shared Read Blocks"];
        kinds.iter().map(|kind| part[kind].as_i64().unwrap()).sum::<i64>()
    };
    let plan = &explained[0]["Plan"];
    assert_eq!(plan["Actual Rows"].as_f64(), Some(10.0));
    if major() < 13 {
        return (buffers(plan), 0);
    }
    (buffers(plan) + buffers(&explained[0]["Planning"]), plan["WAL Bytes"].as_i64().unwrap())
}

fn assert_cheap(mut session: Client) {
    let entrypoints: Vec<String> = (0..8).map(|i| format!("entrypoint {i}")).collect();
    let sql = format!("SELECT * FROM pgq.dequeue('{{{}}}', 10)", entrypoints.join(","));
    // The first call of a session reads catalogs and makes plans.
    cost(&mut session, &sql);
    for call in 2..6 {
        let (buffers, wal) = cost(&mut session, &sql);
        println!("call {call}: {buffers} buffers");
        assert!(buffers < 300, "call {call} touches {buffers} buffers");
        assert_eq!(wal, 0, "call {call}");
    }
    // What a lost session held is counted in its row: those that come next would meet changed rows at the head.
    run(&mut session, "SELECT pgq.release(ARRAY(SELECT id FROM pgq.claims()))");
}

#[test]
fn a_dequeue_of_ten_on_a_million_jobs_touches_few_buffers_and_writes_no_wal() {
    let cluster = Cluster::start(&[("max_wal_size", "8GB"), ("shared_buffers", "512MB"), ("autovacuum", "off")]);
    let database = cluster.database();
    let mut session = database.connect();
    session.execute(MILLION, &[&"0 s", &0]).unwrap();
    run(&mut session, "VACUUM ANALYZE pgq.job");
    assert_cheap(database.connect());
    session.execute(MILLION, &[&"1 day", &10]).unwrap();
    run(&mut session, "VACUUM ANALYZE pgq.job");
    assert_cheap(database.connect());
}
