//! Old tables in another database: two transactions, ours first.

use crate::pgq::pgq;
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::{database, empty_database};
use serde_json::json;

#[test]
fn jobs_and_schedules_of_another_database_come_over() {
    let (old, database) = (empty_database(), database());
    let upstream = Upstream::install(&old);
    upstream.enqueue(&[
        json!({ "entrypoint": "fetch", "payload_hex": "00ff", "headers": { "a": "b" } }),
        json!({ "entrypoint": "broken", "payload_hex": "31" }),
    ]);
    let worker = upstream.work(&["report=@daily"]);
    upstream.until(
        "SELECT EXISTS (SELECT FROM pgqueuer WHERE status = 'failed') AND EXISTS (SELECT FROM pgqueuer_schedules)",
    );
    worker.kill();
    let from = old.address();
    let moved = |args: &[&str]| pgq(&database, &[&["import", "--from", &from], args].concat()).ok();
    assert!(moved(&["--dry-run"]).ends_with("2 jobs and 1 schedule can be moved; nothing was changed\n"));
    assert!(moved(&[]).ends_with("2 jobs and 1 schedule moved\n"));
    assert!(upstream.ids("pgqueuer").is_empty() && upstream.ids("pgqueuer_schedules").is_empty());
    let mut session = database.connect();
    let jobs = "SELECT format('%s %s %s %s', entrypoint, payload, headers, status) FROM pgq.jobs ORDER BY id";
    assert_eq!(
        column::<String>(&mut session, jobs, &[]),
        ["fetch \\x00ff {\"a\": \"b\"} queued", "broken \\x31  failed"]
    );
    let error = "SELECT error->>'exception_message' FROM pgq.job_log";
    assert_eq!(value::<String>(&mut session, error, &[]), "it is broken");
}

#[test]
fn where_the_old_rows_cannot_be_removed_it_says_that_ours_are_there() {
    let (old, database) = (empty_database(), database());
    let upstream = Upstream::install(&old);
    upstream.enqueue(&[json!({ "entrypoint": "fetch" })]);
    // It fails with the commit, when ours is done.
    run(
        &mut old.connect(),
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
         CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON pgqueuer DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
    );
    let refused = pgq(&database, &["import", "--from", &old.address()]).ends(1);
    assert!(refused.contains("everything is imported, but the old rows could not be removed"), "{refused}");
    assert!(refused.contains("hint: Do not import again"), "{refused}");
    assert_eq!(value::<i64>(&mut database.connect(), "SELECT count(*) FROM pgq.job", &[]), 1);
    assert_eq!(upstream.ids("pgqueuer").len(), 1);
}

#[test]
fn a_server_that_is_not_there_is_named() {
    let database = database();
    let refused = pgq(&database, &["import", "--from", "host=127.0.0.1 port=1 user=u dbname=d"]).ends(3);
    assert!(refused.contains("no connection to 127.0.0.1 port 1, database d, user u"), "{refused}");
}
