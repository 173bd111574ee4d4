//! What cannot be: nothing is changed then, and the command says what to do.

use crate::pgq::pgq;
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::{database, empty_database};
use serde_json::json;

#[test]
fn a_job_that_cannot_be_here_is_named_and_can_be_left() {
    let database = database();
    let upstream = Upstream::install(&database);
    let ids = upstream.enqueue(&[
        json!({ "entrypoint": "fetch", "headers": { "a": "b" } }),
        json!({ "entrypoint": "fetch", "dedupe_key": "x".repeat(2001) }),
        json!({ "entrypoint": "é".repeat(128) }),
        json!({ "entrypoint": "fetch" }),
    ]);
    let mut session = database.connect();
    run(&mut session, "UPDATE pgqueuer SET headers = '[1]' WHERE headers <> 'null'");
    let refused = pgq(&database, &["import"]);
    let says = format!(
        "3 jobs are not to be moved: {} (its headers are no JSON object), {} (its dedupe key has more than 2000 bytes), {} (its entrypoint has not 1 to 255 bytes)",
        ids[0], ids[1], ids[2]
    );
    assert!(refused.code == 1 && refused.err.contains(&says), "{}", refused.err);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job", &[]), 0);
    assert!(pgq(&database, &["import", "--leave-refused"]).ok().contains("1 job and 0 schedules moved"));
    assert_eq!(upstream.ids("pgqueuer"), ids[..3]);
}

#[test]
fn whoever_writes_to_the_old_table_is_waited_for_and_then_named() {
    let database = database();
    let upstream = Upstream::install(&database);
    upstream.enqueue(&[json!({ "entrypoint": "fetch" })]);
    let mut producer = database.connect();
    let mut open = producer.transaction().unwrap();
    run(&mut open, "INSERT INTO pgqueuer (priority, status, entrypoint) VALUES (0, 'queued', 'fetch')");
    let refused = pgq(&database, &["import", "--lock-timeout", "100 ms"]).ends(1);
    assert!(
        refused.contains("somebody writes to public.pgqueuer") && refused.contains("Stop the old workers"),
        "{refused}"
    );
    pgq(&database, &["import", "--dry-run"]).ok();
    open.commit().unwrap();
    assert!(pgq(&database, &["import"]).ok().contains("2 jobs"));
}

#[test]
fn a_key_that_comes_in_between_ends_it_all() {
    let database = database();
    let upstream = Upstream::install(&database);
    upstream.enqueue(&[json!({ "entrypoint": "fetch" }), json!({ "entrypoint": "fetch", "dedupe_key": "k" })]);
    let mut producer = database.connect();
    let mut open = producer.transaction().unwrap();
    let _: i64 = value(&mut open, "SELECT pgq.enqueue('fetch', dedupe_key => 'k')", &[]);
    // The look sees nothing of it; the import waits for its end.
    let importing = std::thread::spawn({
        let mut command = crate::pgq::command(&database, &["import"]);
        move || crate::pgq::ran(&mut command)
    });
    upstream.until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE '%pgq.import_jobs%' AND wait_event_type = 'Lock')");
    open.commit().unwrap();
    let refused = importing.join().unwrap().ends(1);
    assert!(
        refused.contains("dedupe_keys must be free") && refused.contains("Key (dedupe_key)=(k) already exists."),
        "{refused}"
    );
    assert_eq!(upstream.ids("pgqueuer").len(), 2);
    assert_eq!(value::<i64>(&mut database.connect(), "SELECT count(*) FROM pgq.job", &[]), 1);
}

#[test]
fn without_the_extension_it_says_how_to_get_it() {
    let database = empty_database();
    let refused = pgq(&database, &["import"]).ends(1);
    assert!(refused.contains("cannot import") && refused.contains("pgq install"), "{refused}");
}
