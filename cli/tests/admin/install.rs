//! The queue comes into a database, is checked, and goes again.

use crate::pgq::pgq;
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{Cluster, database, empty_database};
use serde_json::json;

#[test]
fn install_makes_what_verify_finds_and_uninstall_removes_it() {
    let database = empty_database();
    let absent = pgq(&database, &["verify"]);
    assert_eq!((absent.code, absent.out.contains("not installed")), (1, true), "{absent:?}");
    assert_eq!(pgq(&database, &["verify", "--expect", "absent"]).ok(), "Nothing is there.\n");

    assert!(pgq(&database, &["install"]).ok().contains("is installed"));
    assert_eq!(pgq(&database, &["verify"]).ok(), "Everything is there.\n");
    assert_eq!(pgq(&database, &["verify", "--json"]).json(), json!({ "ok": true, "divergences": [] }));
    let there = pgq(&database, &["verify", "--expect", "absent"]);
    assert_eq!((there.code, there.out.contains("is installed")), (1, true), "{there:?}");

    assert!(pgq(&database, &["install"]).ends(1).contains("already exists"));
    assert_eq!(pgq(&database, &["install", "--if-missing", "--json"]).json()["was_there"], true);

    let unasked = pgq(&database, &["uninstall"]).ends(2);
    assert!(unasked.contains("--yes"), "{unasked}");
    assert_eq!(pgq(&database, &["verify"]).code, 0, "nothing was removed");
    pgq(&database, &["uninstall", "--yes"]).ok();
    pgq(&database, &["verify", "--expect", "absent"]).ok();
    assert!(pgq(&database, &["uninstall", "--yes"]).ends(1).contains("does not exist"));
    pgq(&database, &["install"]).ok();
    pgq(&database, &["enqueue", "fetch"]).ok();
}

#[test]
fn what_of_yours_uses_the_queue_is_removed_only_with_it_when_asked_for() {
    let database = database();
    run(&mut database.connect(), "CREATE VIEW waiting AS SELECT count(*) FROM pgq.jobs");
    let refused = pgq(&database, &["uninstall", "--yes"]).ends(1);
    assert!(refused.contains("detail: view waiting depends on"), "{refused}");
    pgq(&database, &["uninstall", "--yes", "--cascade"]).ok();
    let remains: bool = value(&mut database.connect(), "SELECT to_regclass('waiting') IS NOT NULL", &[]);
    assert!(!remains);
}

#[test]
fn a_dry_run_prints_sql_that_does_it_and_does_nothing() {
    let database = empty_database();
    let sql = pgq(&database, &["install", "--dry-run", "--durability", "volatile"]).ok();
    pgq(&database, &["verify", "--expect", "absent"]).ok();
    run(&mut database.connect(), &sql);
    assert_eq!(pgq(&database, &["durability"]).ok(), "volatile\n");
    run(&mut database.connect(), &pgq(&database, &["durability", "balanced", "--dry-run"]).ok());
    assert_eq!(pgq(&database, &["durability"]).ok(), "balanced\n");
    run(&mut database.connect(), &pgq(&database, &["upgrade", "--dry-run"]).ok());
    run(&mut database.connect(), &pgq(&database, &["uninstall", "--dry-run"]).ok());
    pgq(&database, &["verify", "--expect", "absent"]).ok();
}

#[test]
fn durability_is_shown_and_set_and_keeps_the_jobs() {
    let database = empty_database();
    pgq(&database, &["install", "-d", "balanced"]).ok();
    assert_eq!(pgq(&database, &["durability", "--json"]).json(), json!({ "durability": "balanced" }));
    pgq(&database, &["enqueue", "fetch"]).ok();
    for level in ["volatile", "durable", "durable"] {
        assert_eq!(pgq(&database, &["durability", level]).ok(), format!("{level}\n"));
    }
    assert_eq!(pgq(&database, &["jobs", "--json"]).json().as_array().unwrap().len(), 1);
    assert!(
        pgq(&database, &["durability", "eternal"]).ends(2).contains("[possible values: durable, balanced, volatile]")
    );
}

#[test]
fn upgrade_says_from_where_to_where_and_by_which_way() {
    let database = database();
    let mut session = database.connect();
    let version: String = value(&mut session, "SELECT extversion FROM pg_extension WHERE extname = 'pgqueuer'", &[]);
    assert!(pgq(&database, &["upgrade", "--plan"]).ok().contains("is the newest"));
    assert_eq!(pgq(&database, &["upgrade", "--json"]).json(), json!({ "from": version, "to": version }));
    // As if it had been installed long ago, by files that are not there any more.
    run(&mut session, "UPDATE pg_extension SET extversion = '0.0.1' WHERE extname = 'pgqueuer'");
    let plan = pgq(&database, &["upgrade", "--plan"]);
    assert!(
        plan.code == 1 && plan.out.contains(&format!("installed 0.0.1, available {version}: the server has no script")),
        "{plan:?}"
    );
    assert!(pgq(&database, &["upgrade"]).ends(1).contains("no update path"));
    let differs = pgq(&database, &["verify"]);
    assert!(differs.code == 1 && differs.out.contains("version: extension 0.0.1"), "{differs:?}");
    assert!(pgq(&empty_database(), &["upgrade"]).ends(2).contains("not installed"));
}

#[test]
fn verify_names_what_is_missing() {
    let database = database();
    run(
        &mut database.connect(),
        "ALTER EXTENSION pgqueuer DROP FUNCTION pgq.explain(bigint); DROP FUNCTION pgq.explain(bigint);
         ALTER EXTENSION pgqueuer DROP VIEW pgq.workers; DROP VIEW pgq.workers",
    );
    let broken = pgq(&database, &["verify"]);
    assert_eq!((broken.code, broken.out.as_str()), (1, "pgq.workers is missing\npgq.explain(bigint) is missing\n"));
}

#[test]
fn verify_knows_every_function_that_is_not_internal() {
    let known = include_str!("../../src/sql/missing.sql");
    let sql = "SELECT array_agg(DISTINCT p.proname::text) FROM pg_proc AS p
                WHERE p.pronamespace = 'pgq'::regnamespace AND p.prorettype <> 'trigger'::regtype
                  AND obj_description(p.oid, 'pg_proc') NOT LIKE '%Internal%'";
    let functions: Vec<String> = value(&mut database().connect(), sql, &[]);
    assert!(functions.len() > 40);
    for function in functions {
        assert!(known.contains(&format!("'{function}(")), "{function}");
    }
}

#[test]
fn a_server_that_does_not_preload_the_library_is_told_of() {
    let cluster = Cluster::start(&[("shared_preload_libraries", "")]);
    let database = cluster.empty_database();
    let installed = pgq(&database, &["install"]);
    assert!(installed.code == 0 && installed.err.contains("warning: the library is not preloaded"), "{installed:?}");
    assert!(installed.err.contains("hint: Add the line shared_preload_libraries = 'pgqueuer'"), "{installed:?}");
    let divergences = pgq(&database, &["verify"]);
    assert!(
        divergences.code == 1 && divergences.out.contains("preload: the library is not preloaded"),
        "{divergences:?}"
    );
    let health = pgq(&database, &["health", "--problems"]);
    assert!(health.code == 1 && health.out.contains("preload"), "{health:?}");
    // What does not need the library works.
    pgq(&database, &["enqueue", "fetch"]).ok();
    for list in ["jobs", "failed", "backlog", "log", "workers", "stale"] {
        pgq(&database, &[list]).ok();
    }
}
