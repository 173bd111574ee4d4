//! Jobs: nothing of them is lost, whatever they are.

use crate::pgq::{command, pgq, ran};
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::waiter::Waiter;
use serde_json::json;

/// What a job is: both queues have these columns, but for NULL in place of JSON's null, and how often one that failed was tried.
const OLD: &str = "SELECT row_to_json(j)::text FROM (
    SELECT entrypoint, encode(payload, 'hex') AS payload, priority, created, greatest(created, execute_after) AS due, dedupe_key,
           nullif(headers, 'null') AS headers, attempts + (status = 'failed')::int AS attempts,
           CASE status WHEN 'failed' THEN 'failed' ELSE 'queued' END AS status
      FROM pgqueuer ORDER BY id) AS j";
const NEW: &str = "SELECT row_to_json(j)::text FROM (
    SELECT entrypoint, encode(payload, 'hex') AS payload, priority, created,
           greatest(created, CASE WHEN NOT held THEN execute_after END) AS due, dedupe_key, headers, attempts,
           CASE WHEN held THEN 'failed' ELSE 'queued' END AS status
      FROM pgq.job ORDER BY id) AS j";

#[test]
fn every_job_comes_over_as_it_is() {
    let database = database();
    let upstream = Upstream::install(&database);
    upstream.enqueue(&[
        json!({ "entrypoint": "fetch", "payload_hex": "00ff2768c3a4", "priority": 7 }),
        json!({ "entrypoint": "fetch" }),
        json!({ "entrypoint": "fetch", "payload_hex": "" }),
        json!({ "entrypoint": "later", "execute_after": 3600, "priority": -5, "dedupe_key": "k'1", "headers": { "a": "b" } }),
        json!({ "entrypoint": "past", "execute_after": -3600 }),
        json!({ "entrypoint": "hang", "payload_hex": "31", "dedupe_key": "picked" }),
        json!({ "entrypoint": "broken", "payload_hex": "32", "dedupe_key": "free" }),
        json!({ "entrypoint": "again", "payload_hex": "33", "dedupe_key": "again" }),
    ]);
    let worker = upstream.work(&[]);
    upstream.until(
        "SELECT array_agg(status::text ORDER BY id) = '{queued,queued,queued,queued,queued,picked,failed,queued}'
            AND max(attempts) = 1 FROM pgqueuer",
    );
    // While its worker lives nothing is moved, nor where that is not sure.
    let refused = pgq(&database, &["import"]);
    assert_eq!(refused.code, 1);
    assert!(refused.err.contains("1 job is picked by workers that were heard of lately"), "{}", refused.err);
    worker.kill();
    assert_eq!(pgq(&database, &["import", "--dry-run"]).code, 1);
    pgq(&database, &["import", "--dry-run", "--heartbeat-timeout", "1 ms"]).ok();
    pgq(&database, &["import", "--dry-run", "--take-picked"]).ok();
    upstream.later("pgqueuer");

    let mut session = database.connect();
    let old: Vec<String> = column(&mut session, OLD, &[]);
    let plan = pgq(&database, &["import", "--dry-run", "--json"]).json();
    assert_eq!(upstream.ids("pgqueuer").len(), 8, "a dry run changes nothing");
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job", &[]), 0);
    let moved = pgq(&database, &["import", "--json"]).json();
    assert_eq!((&plan["jobs"], &plan["moved"], &moved["moved"]), (&moved["jobs"], &json!(false), &json!(true)));
    let row = |entrypoint: &str, was: &str, becomes: &str, jobs: i64| json!({ "entrypoint": entrypoint, "was": was, "becomes": becomes, "jobs": jobs });
    let expected = json!([
        row("again", "deferred", "queued", 1),
        row("broken", "failed", "failed", 1),
        row("fetch", "queued", "queued", 3),
        row("hang", "picked", "queued", 1),
        row("later", "deferred", "queued", 1),
        row("past", "queued", "queued", 1),
    ]);
    assert_eq!(moved["jobs"], expected);
    assert_eq!(column::<String>(&mut session, NEW, &[]), old);
    assert!(upstream.ids("pgqueuer").is_empty(), "what was moved is gone from there");
    assert_eq!(pgq(&database, &["import"]).ok(), "0 jobs and 0 schedules moved\n", "there is nothing left");
}

#[test]
fn one_that_is_held_has_its_traceback_and_can_be_requeued() {
    let database = database();
    let upstream = Upstream::install(&database);
    upstream.enqueue(&[json!({ "entrypoint": "broken", "payload_hex": "31" })]);
    let worker = upstream.work(&[]);
    upstream.until("SELECT EXISTS (SELECT FROM pgqueuer WHERE status = 'failed')");
    worker.kill();
    let failed: String =
        value(&mut database.connect(), "SELECT max(created)::text FROM pgqueuer_log WHERE status = 'failed'", &[]);
    assert!(pgq(&database, &["import"]).ok().contains("1 job and 0 schedules moved"));

    let rows = pgq(&database, &["failed", "--json"]).json();
    let row = &rows[0];
    assert!(row["error"].as_str().unwrap().contains("it is broken"), "{row}");
    assert_eq!((&row["attempts"], &row["payload_start"]), (&json!(1), &json!("1")));
    let mut session = database.connect();
    let same = "SELECT finished = $1::text::timestamptz AND error->>'exception_type' = 'ValueError' FROM pgq.job_log";
    assert!(value::<bool>(&mut session, same, &[&failed]));
    assert_eq!(pgq(&database, &["requeue", "--all"]).ok(), "1 job requeued\n");
    assert_eq!(column::<i32>(&mut session, "SELECT attempts FROM pgq.dequeue('{broken}')", &[]), [0]);
}

#[test]
fn the_order_stays_and_whoever_waits_is_woken() {
    let database = database();
    let upstream = Upstream::install(&database);
    let jobs: Vec<_> =
        [0, 5, 0, 5, -1].iter().map(|priority| json!({ "entrypoint": "fetch", "priority": priority })).collect();
    let ids = upstream.enqueue(&jobs);
    let mut session = database.connect();
    let waiter = Waiter::asleep(&database, &mut session);
    pgq(&database, &["import"]).ok();
    assert!(waiter.woken().ready.unwrap(), "it was woken");
    let old: Vec<i64> = vec![ids[1], ids[3], ids[0], ids[2], ids[4]];
    let new: Vec<i64> = column(&mut session, "SELECT id FROM pgq.dequeue('{fetch}', 10)", &[]);
    let first = new.iter().min().unwrap() - ids[0];
    assert_eq!(new.iter().map(|id| id - first).collect::<Vec<_>>(), old);
}

#[test]
fn paused_entrypoints_hand_out_nothing_until_they_are_resumed() {
    let database = database();
    let upstream = Upstream::install(&database);
    upstream.enqueue(&[json!({ "entrypoint": "fetch" })]);
    pgq(&database, &["import", "--paused", "--prefix", "shop/"]).ok();
    let mut session = database.connect();
    let taken = "SELECT count(*) FROM pgq.dequeue('{shop/fetch}')";
    assert_eq!(value::<i64>(&mut session, taken, &[]), 0);
    pgq(&database, &["resume", "shop/fetch"]).ok();
    assert_eq!(value::<i64>(&mut session, taken, &[]), 1);
}

#[test]
fn what_is_kept_stays_as_it_was() {
    let database = database();
    let upstream = Upstream::install(&database);
    let ids =
        upstream.enqueue(&[json!({ "entrypoint": "fetch", "dedupe_key": "k" }), json!({ "entrypoint": "fetch" })]);
    assert!(
        pgq(&database, &["import", "--keep"])
            .ok()
            .ends_with("2 jobs and 0 schedules copied; the old tables are as they were\n")
    );
    assert_eq!(upstream.ids("pgqueuer"), ids);

    // A second time the key is taken.
    let refused = pgq(&database, &["import"]);
    assert!(
        refused.code == 1 && refused.err.contains("dedupe keys of 1 job belong to jobs here: \"k\""),
        "{}",
        refused.err
    );
    let skipped = pgq(&database, &["import", "--on-conflict", "skip"]).ok();
    assert!(
        skipped.contains("left: its dedupe key belongs to a job here") && skipped.contains("1 job and 0"),
        "{skipped}"
    );
    assert_eq!(upstream.ids("pgqueuer"), ids[..1], "what was left is left there");
}

#[test]
fn an_administrator_can_import_and_a_producer_cannot() {
    let database = database();
    let upstream = Upstream::install(&database);
    upstream.enqueue(&[json!({ "entrypoint": "fetch" })]);
    let mut session = database.connect();
    for (role, code) in [("producer", 1), ("admin", 0)] {
        let name = format!("{role}_{}", database.name);
        run(
            &mut session,
            &format!(
                "CREATE ROLE {name} LOGIN; GRANT SELECT, DELETE ON pgqueuer, pgqueuer_schedules, pgqueuer_log TO {name}"
            ),
        );
        pgq(&database, &["grant", role, &name]).ok();
        let address = format!("{} user={name}", database.address().replace("user=postgres", ""));
        let ended = ran(command(&database, &["import"]).env("PGQUEUER_DSN", address));
        assert_eq!(ended.code, code, "{role}: {}", ended.err);
        pgq(&database, &["revoke", &name]).ok();
        run(&mut session, &format!("DROP OWNED BY {name}; DROP ROLE {name}"));
    }
}
