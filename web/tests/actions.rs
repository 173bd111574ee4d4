//! Each action, sent as its form sends it, and its effect in the database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test ends with a panic")]

mod site;

use pgqueuer_e2e::ask::{column, dequeue, enqueue, run, value};
use site::{Site, site};

/// A name that is changed on its way where it is not encoded.
const EVIL: &str = "a/b c&d+%41\r\n\u{202e}<";

fn status(site: &mut Site, id: i64) -> String {
    value(&mut site.sql, "SELECT status::text FROM pgq.status(ARRAY[$1::bigint])", &[&id])
}

/// Jobs of `fetch` that failed.
fn failed(site: &mut Site, count: i32) -> Vec<i64> {
    let ids = enqueue(&mut site.sql, "fetch", count);
    run(&mut site.sql, "SELECT pgq.configure('fetch', max_attempts => 1)");
    let sql = "SELECT id FROM unnest(pgq.finish((SELECT array_agg(id) FROM pgq.dequeue('{fetch}', $1)), array_fill('failed'::text, ARRAY[$1]))) AS id";
    let ended: Vec<i64> = column(&mut site.sql, sql, &[&count]);
    assert_eq!(ended.len(), ids.len());
    ids
}

#[test]
fn a_job_is_canceled_deleted_and_made_due() {
    let mut site = site();
    let ids = enqueue(&mut site.sql, "fetch", 3);
    run(&mut site.sql, &format!("SELECT pgq.reschedule('{{{}}}', now() + interval '1 day')", ids[2]));
    site.done("cancel", &[("job", &ids[0].to_string())]).has("1 job canceled").has("canceled</span>");
    assert_eq!(status(&mut site, ids[0]), "canceled");
    site.done("delete", &[("job", &ids[1].to_string())]).has("1 job deleted");
    assert_eq!(status(&mut site, ids[1]), "deleted");
    site.done("run-now", &[("job", &ids[2].to_string())]).has("1 job due now");
    assert_eq!(dequeue(&mut site.sql, "fetch", 1), [ids[2]]);
    site.done("cancel", &[("job", &ids[0].to_string())]).has("has moved on");
    site.done("cancel", &[("job", &ids[2].to_string())]).has("1 job canceled");
    assert_eq!(status(&mut site, ids[2]), "canceled");
}

#[test]
fn a_failed_job_is_queued_again() {
    let mut site = site();
    let id = failed(&mut site, 1)[0];
    site.get(&format!("/jobs/{id}")).has("Requeue");
    site.done("requeue", &[("job", &id.to_string())]).has("1 job queued again");
    assert_eq!(status(&mut site, id), "queued");
}

#[test]
fn selected_failures_are_queued_again_or_deleted() {
    let mut site = site();
    let ids: Vec<String> = failed(&mut site, 5).iter().map(i64::to_string).collect();
    let choice = |what: &'static str, ids: &[String]| {
        let mut fields = vec![("what".to_owned(), what.to_owned()), ("entrypoint".to_owned(), String::new())];
        fields.extend(ids.iter().map(|id| ("job".to_owned(), id.clone())));
        fields
    };
    let done = |site: &Site, fields: Vec<(String, String)>| {
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        site.done("failed", &fields)
    };
    done(&site, choice("requeue", &ids[..2])).has("2 jobs queued again");
    done(&site, choice("delete", &ids[2..3])).has("1 job deleted");
    done(&site, choice("requeue", &[])).has("Nothing was selected");
    let left: Vec<i64> = column(&mut site.sql, "SELECT id FROM pgq.jobs WHERE status = 'failed' ORDER BY id", &[]);
    assert_eq!(left.iter().map(i64::to_string).collect::<Vec<_>>(), ids[3..]);
}

#[test]
fn all_failures_are_queued_again_past_those_that_cannot_be() {
    let mut site = site();
    failed(&mut site, 1203);
    // A dedupe key that lives again keeps its job where it is.
    run(&mut site.sql, "UPDATE pgq.job SET dedupe_key = 'one' WHERE id = (SELECT max(id) FROM pgq.job)");
    run(&mut site.sql, "SELECT pgq.enqueue('other', dedupe_key => 'one')");
    site.done("failed", &[("what", "requeue-all"), ("entrypoint", "other")]).has("moved on");
    site.done("failed", &[("what", "requeue-all"), ("entrypoint", "")]).has("1,202 jobs queued again");
    assert_eq!(value::<i64>(&mut site.sql, "SELECT count(*) FROM pgq.jobs WHERE status = 'failed'", &[]), 1);
    site.done("failed", &[("what", "delete-all"), ("entrypoint", "fetch")]).has("1 job deleted");
    assert_eq!(value::<i64>(&mut site.sql, "SELECT count(*) FROM pgq.jobs WHERE status = 'failed'", &[]), 0);
    site.act("failed", &[("what", "else"), ("entrypoint", "")]).is(400);
}

#[test]
fn an_entrypoint_is_paused_and_resumed() {
    let mut site = site();
    let encoded: String = form_urlencoded::byte_serialize(EVIL.as_bytes()).collect();
    enqueue(&mut site.sql, EVIL, 1);
    site.done("pause", &[("name", &encoded)]).has("Paused: running jobs go on").has("Resume</button>");
    assert!(dequeue(&mut site.sql, EVIL, 1).is_empty());
    site.done("pause", &[("name", &encoded)]).has("it was so already");
    let answer = site.act("resume", &[("name", &encoded), ("to", "list")]);
    assert!(answer.header("location").starts_with("/entrypoints?"));
    assert_eq!(dequeue(&mut site.sql, EVIL, 1).len(), 1);
}

#[test]
fn settings_are_saved_and_what_makes_no_sense_is_refused() {
    let mut site = site();
    let fields = [
        ("name", "fetch"),
        ("concurrency_limit", "7"),
        ("max_attempts", "3"),
        ("backoff_initial", "0.5"),
        ("backoff_max", "60"),
        ("backoff_multiplier", "1.5"),
        ("on_failure", "delete"),
        ("max_releases", "4"),
        ("rate_limit", "100"),
        ("rate_period", "10"),
    ];
    site.done("configure", &fields).has("Saved.").has("value=\"0.5\"");
    let sql = "SELECT row(concurrency_limit, max_attempts, backoff_initial, backoff_max, backoff_multiplier, on_failure, max_releases, rate_limit, rate_period)::text FROM pgq.entrypoints";
    let saved: String = value(&mut site.sql, sql, &[]);
    assert_eq!(saved, "(7,3,00:00:00.5,00:01:00,1.5,delete,4,100,00:00:10)");
    site.done("configure", &fields).has("it was so already");
    let with = |name: &'static str, text: &'static str| {
        fields.map(|(key, value)| (key, if key == name { text } else { value }))
    };
    site.act("configure", &with("max_attempts", "0")).is(400).has("max_attempts");
    site.act("configure", &with("concurrency_limit", "many")).is(400).has("concurrency_limit");
    site.act("configure", &with("backoff_max", "-1")).is(400).has("backoff_max");
    site.act("configure", &with("backoff_max", "1e300")).is(400);
    site.act("configure", &with("on_failure", "explode")).is(400);
    site.act("configure", &with("name", "")).is(400).has("entrypoint");
    assert_eq!(value::<String>(&mut site.sql, sql, &[]), saved);
}

#[test]
fn a_schedule_is_paused_resumed_and_run_now() {
    let mut site = site();
    run(
        &mut site.sql,
        "SELECT pgq.schedule('report', '0 0 1 1 *', entrypoint => 'daily', payload => 'x', priority => 3, headers => '{\"a\": 1}')",
    );
    site.done("pause-schedule", &[("name", "report")]).has("ticks no more").has("Resume report");
    assert!(!value::<bool>(&mut site.sql, "SELECT enabled FROM pgq.schedules", &[]));
    site.done("resume-schedule", &[("name", "report")]).has("Resumed");
    assert!(value::<bool>(&mut site.sql, "SELECT enabled FROM pgq.schedules", &[]));
    site.done("run-schedule", &[("name", "report")]).has("enqueued");
    let sql = "SELECT format('%s %s %s %s %s', entrypoint, pgq.payload_text(payload), priority, headers->>'schedule', headers->>'a') FROM pgq.jobs";
    assert_eq!(value::<String>(&mut site.sql, sql, &[]), "daily x 3 report 1");
    site.act("run-schedule", &[("name", "other")]).is(404);
}

#[test]
fn an_action_that_is_none_does_nothing() {
    let mut site = site();
    let id = enqueue(&mut site.sql, "fetch", 1)[0];
    site.act("drop", &[("job", &id.to_string())]).is(404);
    site.act("cancel", &[("job", "x")]).is(400);
    site.act("cancel", &[]).is(400);
    site.act("cancel", &[("job", &id.to_string()), ("job", "2")]).is(400);
    site.act("pause", &[]).is(400);
    site.get("/do/cancel").is(405);
    assert_eq!(status(&mut site, id), "queued");
}
