//! Whatever arguments come: each function answers, or refuses with an SQLSTATE of `docs/errors.md`. No backend crashes, no
//! invariant breaks, and the queue works on.
//!
//! Functions and the types of their arguments are read from the catalog, so a new one is tried here without anybody thinking of
//! it. `PGQUEUER_INPUT_CALLS` sets how many calls with arguments at random each function gets, `PGQUEUER_INPUT_SEED` which.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what a test calls may end it with a panic"
)]

use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, major};
use postgres::Client;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use std::path::Path;

/// A function or procedure that takes arguments.
struct Callable {
    name: String,
    is_procedure: bool,
    /// Where nobody but the extension calls it, any refusal will do.
    is_internal: bool,
    types: Vec<String>,
}

fn callables(session: &mut Client) -> Vec<Callable> {
    let sql = "SELECT p.proname::text, p.prokind = 'p', obj_description(p.oid, 'pg_proc') LIKE '%Internal%',
                      ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n)
                 FROM pg_proc AS p JOIN pg_depend AS d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass AND d.deptype = 'e'
                WHERE p.pronamespace = 'pgq'::regnamespace AND p.prorettype <> 'trigger'::regtype AND p.pronargs > 0
                ORDER BY p.proname, p.oid";
    let rows = session.query(sql, &[]).unwrap();
    let callable = |row: &postgres::Row| Callable {
        name: row.get(0),
        is_procedure: row.get(1),
        is_internal: row.get::<_, Option<bool>>(2).unwrap_or_default(),
        types: row.get(3),
    };
    rows.iter().map(callable).collect()
}

/// Values of each type, as SQL without their type. The first one is as good as any.
const VALUES: &[(&str, &[&str])] = &[
    (
        "text",
        &[
            "'fetch'",
            "NULL",
            "''",
            "' '",
            "'ä😀'",
            "repeat('x', 255)",
            "repeat('x', 256)",
            "repeat('ä', 100000)",
            "E'\\x01\\n'",
            "'*'",
            "'''; DROP SCHEMA pgq CASCADE; --'",
            "'%s%n$1{}'",
            "'* * * * *'",
            "'@every 0s'",
            "'61 25 32 13 8'",
            "'replace'",
            "'skip'",
            "'Europe/Berlin'",
            "'failed'",
            "'postgres'",
        ],
    ),
    ("integer", &["1", "NULL", "0", "'-1'", "7", "2147483647", "'-2147483648'"]),
    ("bigint", &["1", "NULL", "0", "'-1'", "9223372036854775807", "'-9223372036854775808'"]),
    ("smallint", &["1", "NULL", "'-32768'", "32767"]),
    ("double precision", &["1", "NULL", "0", "'-1'", "'NaN'", "'Infinity'", "'-Infinity'", "1e308", "1e-307"]),
    ("boolean", &["true", "NULL", "false"]),
    ("uuid", &["'7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11'", "NULL", "'00000000-0000-0000-0000-000000000000'"]),
    (
        "interval",
        &[
            "'1 s'",
            "NULL",
            "'0'",
            "'-1 s'",
            "'1 us'",
            "'100 years'",
            "'178000000 years'",
            "'-178000000 years'",
            "'2147483647 days'",
            "'1 mon -1 day'",
        ],
    ),
    (
        "timestamp with time zone",
        &[
            "now()",
            "NULL",
            "'infinity'",
            "'-infinity'",
            "'epoch'",
            "'294276-12-31 23:59:59+00'",
            "'4713-01-02 00:00:00+00 BC'",
        ],
    ),
    (
        "json",
        &[
            "'{}'",
            "NULL",
            "'null'",
            "'[]'",
            "'\"text\"'",
            "'{\"a\": {\"b\": [1, 1e400]}}'",
            "(repeat('[', 3000) || repeat(']', 3000))",
            "('{\"' || repeat('k', 100000) || '\": 1}')",
        ],
    ),
    ("bytea", &["'\\xff00'", "NULL", "''", "decode(repeat('00', 100000), 'hex')"]),
];

/// Values of a type as SQL, the ordinary one first.
fn values(of: &str) -> Vec<String> {
    if let Some(element) = of.strip_suffix("[]") {
        let first = &values(element)[0];
        let others = values(element).into_iter().map(|value| format!("ARRAY[{value}]::{of}"));
        let shapes = [
            format!("ARRAY[{first}, {first}]::{of}"),
            format!("ARRAY[{first}, NULL]::{of}"),
            format!("NULL::{of}"),
            format!("'{{}}'::{of}"),
            format!("ARRAY[[{first}, {first}], [{first}, {first}]]::{of}"),
            format!("array_fill({first}, ARRAY[2], ARRAY[-7])::{of}"),
            format!("array_fill({first}, ARRAY[3000])::{of}"),
        ];
        return others.chain(shapes).collect();
    }
    // What JSON can be, is told once.
    let name = if of == "jsonb" { "json" } else { of };
    let known = VALUES.iter().find(|(known, _)| *known == name);
    let words = known.unwrap_or_else(|| panic!("{of} is a type of which no values are known here")).1;
    let mut all: Vec<String> = words.iter().map(|word| format!("{word}::{of}")).collect();
    // Before, it is too long to be written.
    if of == "interval" && major() >= 15 {
        all.push("'2562047788 hours'::interval".to_owned());
    }
    if of == "interval" && major() >= 17 {
        all.extend(["'infinity'::interval".to_owned(), "'-infinity'::interval".to_owned()]);
    }
    all
}

fn call(callable: &Callable, arguments: &[String]) -> String {
    let call = format!("pgq.{}({})", callable.name, arguments.join(", "));
    if callable.is_procedure { format!("CALL {call}") } else { format!("SELECT count(*) FROM {call}") }
}

/// Each argument in turn takes each of its values, the others their first; then all are taken at random.
fn calls(callable: &Callable, random: &mut StdRng) -> Vec<String> {
    let all: Vec<Vec<String>> = callable.types.iter().map(|of| values(of)).collect();
    let first: Vec<String> = all.iter().map(|values| values[0].clone()).collect();
    let mut calls = vec![];
    for (place, values) in all.iter().enumerate() {
        for value in values {
            let mut arguments = first.clone();
            arguments[place].clone_from(value);
            calls.push(call(callable, &arguments));
        }
    }
    let count = std::env::var("PGQUEUER_INPUT_CALLS").ok().and_then(|text| text.parse().ok()).unwrap_or(20);
    for _ in 0..count {
        let arguments: Vec<String> = all.iter().map(|values| values.choose(random).unwrap().clone()).collect();
        calls.push(call(callable, &arguments));
    }
    calls
}

/// The SQLSTATEs of the sheet, without that of a broken invariant.
fn sheet() -> Vec<String> {
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md")).unwrap();
    let first = |line: &str| line.strip_prefix("| ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    let codes: Vec<String> = page.lines().filter_map(first).filter(|code| code.len() == 5 && code != "XX000").collect();
    assert!(codes.len() > 8, "{codes:?}");
    codes
}

fn session(database: &Database<'_>) -> Client {
    let mut session = database.connect();
    // What waits returns before that; what computes for longer has no end.
    run(&mut session, "SET statement_timeout = '20 s'");
    session
}

/// What is wrong with how a call ended.
fn fault(session: &mut Client, callable: &Callable, call: &str, sheet: &[String]) -> Option<String> {
    // A procedure that waits would do so for as long as it was asked to: it ends a little before this.
    let short =
        if callable.is_procedure { "SET statement_timeout = '150 ms'" } else { "SET statement_timeout = '20 s'" };
    run(session, short);
    let error = session.simple_query(call).err()?;
    let Some(refusal) = error.as_db_error() else { return Some(format!("{call}: {error:?}")) };
    let code = refusal.code().code();
    let is_known = if callable.is_internal { !code.starts_with("XX") } else { sheet.iter().any(|known| known == code) };
    (!is_known).then(|| format!("{call}: {code}: {}", refusal.message()))
}

fn shortened(text: &str) -> String {
    text.chars().take(400).collect()
}

#[test]
fn every_function_answers_or_refuses_whatever_it_is_given() {
    let cluster = Cluster::start(&[("pgqueuer.max_named_workers", "1024")]);
    let database = cluster.database();
    let mut session = session(&database);
    enqueue(&mut session, "fetch", 3);
    assert_eq!(dequeue(&mut session, "fetch", 1), [1]);
    let seed = std::env::var("PGQUEUER_INPUT_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(20_261_123);
    let mut random = StdRng::seed_from_u64(seed);
    let (sheet, process) = (sheet(), cluster.processes()[0]);
    let (mut faults, mut count) = (vec![], 0);
    for callable in callables(&mut session) {
        for call in calls(&callable, &mut random) {
            count += 1;
            faults.extend(fault(&mut session, &callable, &call, &sheet).map(|fault| shortened(&fault)));
            assert!(!session.is_closed(), "PGQUEUER_INPUT_SEED={seed}: {}\n{}", shortened(&call), cluster.log());
        }
    }
    println!("{count} calls");
    assert!(faults.is_empty(), "PGQUEUER_INPUT_SEED={seed}: {} of {count} calls: {faults:#?}", faults.len());
    assert_eq!(cluster.processes()[0], process);
    assert!(
        !cluster.log().contains("terminated by signal") && !cluster.log().contains("panicked"),
        "{}",
        cluster.log()
    );
    works_on(&database);
}

/// A new session's job goes its way.
fn works_on(database: &Database<'_>) {
    let mut session = database.connect();
    let ids = enqueue(&mut session, "after all", 2);
    assert_eq!(dequeue(&mut session, "after all", 2), ids);
    assert_eq!(complete(&mut session, &ids), ids);
}

#[test]
fn a_million_of_anything_is_no_more_than_much() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let million = "ARRAY(SELECT g::bigint FROM generate_series(1, 1000000) AS g)";
    for call in [
        format!("SELECT cardinality(pgq.complete_many({million}))"),
        format!("SELECT cardinality(pgq.release({million}))"),
        format!("SELECT cardinality(pgq.cancel({million}))"),
        format!("SELECT cardinality(pgq.delete({million}))"),
        format!("SELECT cardinality(pgq.requeue({million}))"),
        format!("SELECT cardinality(pgq.reschedule({million}))"),
        format!("SELECT count(*)::int FROM pgq.status({million})"),
    ] {
        assert_eq!(value::<i32>(&mut session, &call, &[]), 0, "{call}");
    }
    let held = format!("SELECT cardinality(pgq.heartbeat('7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', held => {million}))");
    assert_eq!(value::<i32>(&mut session, &held, &[]), 1_000_000, "none of them is held");
    let entrypoints = "ARRAY(SELECT 'entrypoint ' || g FROM generate_series(1, 100000) AS g)";
    let none = format!("SELECT count(*) FROM pgq.dequeue({entrypoints}, 10)");
    assert_eq!(value::<i64>(&mut session, &none, &[]), 0);
    let payload = "SELECT pgq.enqueue('fetch', repeat('x', 100 * 1024 * 1024))";
    let id: i64 = value(&mut session, payload, &[]);
    assert_eq!(dequeue(&mut session, "fetch", 1), [id]);
    assert_eq!(complete(&mut session, &[id]), [id]);
    works_on(&database);
}
