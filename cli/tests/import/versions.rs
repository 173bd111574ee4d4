//! Other versions, schemas and prefixes: whatever columns a table lacks, whatever it is called.

use crate::pgq::pgq;
use crate::upstream::{Upstream, Version};
use pgqueuer_e2e::ask::{column, run};
use pgqueuer_e2e::cluster::database;
use serde_json::json;

#[test]
fn an_old_version_without_half_of_the_columns_comes_over() {
    let database = database();
    let upstream = Upstream::install_as(&database, Version::Old, &[]);
    let mut session = database.connect();
    let tables = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'pgqueuer'::regclass
                     AND attname IN ('execute_after', 'dedupe_key', 'headers', 'attempts')";
    assert_eq!(column::<i64>(&mut session, tables, &[]), [0], "it is as old as it should be");
    upstream.enqueue(&[
        json!({ "entrypoint": "fetch", "payload_hex": "00ff", "priority": 3 }),
        json!({ "entrypoint": "hang", "payload_hex": "31" }),
    ]);
    let worker = upstream.work(&["report=0 6 * * *"]);
    upstream.until("SELECT count(*) = 1 FROM pgqueuer WHERE status = 'picked'");
    upstream.until("SELECT count(*) = 1 FROM pgqueuer_schedules");
    worker.kill();
    upstream.later("pgqueuer");
    assert!(pgq(&database, &["import"]).ok().contains("2 jobs and 1 schedule moved"));
    let jobs = "SELECT format('%s %s %s %s', entrypoint, payload, priority, attempts) FROM pgq.jobs ORDER BY id";
    assert_eq!(column::<String>(&mut session, jobs, &[]), ["fetch \\x00ff 3 0", "hang \\x31 0 0"]);
    assert_eq!(column::<String>(&mut session, "SELECT cron FROM pgq.schedules", &[]), ["0 6 * * *"]);
}

#[test]
fn of_several_installations_one_must_be_named() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "CREATE SCHEMA \"we ird\"");
    let plain = Upstream::install(&database);
    let prefixed = Upstream::install_as(&database, Version::Current, &[("PGQUEUER_PREFIX", "acme_")]);
    for upstream in [&plain, &prefixed] {
        upstream.enqueue(&[json!({ "entrypoint": "fetch" })]);
    }
    // The Python program takes no such name itself; a table can have been moved.
    run(
        &mut session,
        "ALTER TABLE acme_pgqueuer SET SCHEMA \"we ird\"; ALTER TABLE acme_pgqueuer_schedules SET SCHEMA \"we ird\";
                       ALTER TABLE acme_pgqueuer_log SET SCHEMA \"we ird\"",
    );
    let refused = pgq(&database, &["import"]).ends(2);
    assert!(
        refused.contains(
            "there are 2 installations of PgQueuer: --schema \"public\" --tables-prefix \"\", \
                              --schema \"we ird\" --tables-prefix \"acme_\""
        ),
        "{refused}"
    );
    pgq(&database, &["import", "--tables-prefix", "acme_"]).ok();
    assert!(prefixed.ids("\"we ird\".acme_pgqueuer").is_empty() && plain.ids("pgqueuer").len() == 1);
    pgq(&database, &["import", "--schema", "public"]).ok();
    assert!(plain.ids("pgqueuer").is_empty());
    assert!(pgq(&database, &["import", "--schema", "nowhere"]).ends(1).contains("there are no tables of PgQueuer"));
}

#[test]
fn its_own_schema_is_found() {
    let database = database();
    run(&mut database.connect(), "CREATE SCHEMA app");
    let upstream =
        Upstream::install_as(&database, Version::Current, &[("PGQUEUER_SCHEMA", "app"), ("PGQUEUER_PREFIX", "p_")]);
    upstream.enqueue(&[json!({ "entrypoint": "fetch" })]);
    let report = pgq(&database, &["import", "--json"]).json();
    assert_eq!((&report["schema"], &report["tables_prefix"]), (&json!("app"), &json!("p_")));
    assert!(upstream.ids("app.p_pgqueuer").is_empty());
}
