//! Each page, with what is in the database.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test ends with a panic")]

mod site;

use pgqueuer_e2e::ask::{complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::until::until;
use pgqueuer_web::Options;
use site::{Site, site, site_at, site_with};

const PAGES: [&str; 8] =
    ["/", "/entrypoints", "/entrypoint?name=fetch", "/jobs", "/failures", "/schedules", "/workers", "/health"];

/// A name that does harm wherever it is not escaped.
const EVIL: &str = "\"'><script>alert(1)</script>&/../\u{202e}\x1b[31m%00 ü";

#[test]
fn an_empty_queue_says_what_to_do() {
    let site = site();
    for page in PAGES {
        site.get(page).is(200).has("<main");
    }
    site.get("/").has("No job has come yet").has("pgq.enqueue");
    site.get("/jobs").has("The queue is empty");
    site.get("/failures").has("No job has failed for good");
    site.get("/schedules").has("pgq.schedule");
    site.get("/workers").has("No worker holds a job");
    site.get("/health").has("All is well");
}

#[test]
fn the_overview_shows_what_waits_runs_failed_and_ended() {
    let mut site = site();
    let ids = enqueue(&mut site.sql, "fetch", 7);
    run(&mut site.sql, "SELECT pgq.configure('fetch', max_attempts => 1)");
    dequeue(&mut site.sql, "fetch", 4);
    complete(&mut site.sql, &ids[..2]);
    run(&mut site.sql, &format!("SELECT pgq.fail({}, 'no route')", ids[2]));
    until("the figures are the new ones", || {
        let page = site.get("/").body;
        let row = page.split("<tbody>").nth(1)?.to_owned();
        let numbers: Vec<&str> =
            row.split("<td class=\"n").skip(1).map(|cell| cell.split(['>', '<']).nth(1).unwrap()).collect();
        (numbers[0] == "3" && numbers[3] == "1" && numbers[4] == "1").then_some(())
    });
    site.get("/").has("2 done").has("1 failed").has("role=\"img\"");
    site.get("/entrypoints").has("fetch").has("33.3 %");
    site.get("/entrypoint?name=fetch").has("2 done").has("Jobs at one time");
}

#[test]
fn jobs_are_found_by_status_entrypoint_and_id() {
    let mut site = site();
    let ids = enqueue(&mut site.sql, "fetch", 3);
    let other = enqueue(&mut site.sql, "other", 1)[0];
    run(&mut site.sql, "SELECT pgq.configure('fetch', max_attempts => 1)");
    assert_eq!(dequeue(&mut site.sql, "fetch", 2), ids[..2]);
    run(&mut site.sql, &format!("SELECT pgq.fail({}, 'no route')", ids[0]));
    let listed = |path: &str| {
        let page = site.get(path);
        page.is(200);
        let rows = page.body.split("<tr id=\"job-").skip(1).map(|row| row.split('"').next().unwrap().parse().unwrap());
        rows.collect::<Vec<i64>>()
    };
    assert_eq!(listed("/jobs"), [other, ids[2], ids[1], ids[0]]);
    assert_eq!(listed("/jobs?status=queued"), [other, ids[2]]);
    assert_eq!(listed("/jobs?status=picked"), [ids[1]]);
    assert_eq!(listed("/jobs?status=failed"), [ids[0]]);
    assert_eq!(listed("/jobs?entrypoint=fetch"), [ids[1], ids[2], ids[0]]);
    assert_eq!(listed("/jobs?entrypoint=fetch&status=queued"), [ids[2]]);
    assert_eq!(listed("/jobs?entrypoint=other&status=picked"), [0_i64; 0]);
    assert_eq!(listed("/failures?entrypoint=fetch"), [ids[0]]);
    assert_eq!(listed("/failures?entrypoint=other"), [0_i64; 0]);
    let found = site.get(&format!("/jobs?id=%20{other}%20"));
    assert_eq!((found.status, found.header("location")), (303, format!("/jobs/{other}").as_str()));
    site.get("/jobs?id=none").is(400);
    site.get("/jobs?status=done").is(400).has("queued, picked or failed");
}

/// The jobs of a list, from page to page.
fn walk(site: &Site, first: &str) -> Vec<i64> {
    let (mut seen, mut address) = (vec![], Some(first.to_owned()));
    while let Some(path) = address {
        let page = site.get(&path);
        let rows = page.body.split("<tr id=\"job-").skip(1);
        seen.extend(rows.map(|row| row.split('"').next().unwrap().parse::<i64>().unwrap()));
        let next = page.body.split("id=\"pager-next\" href=\"").nth(1);
        address = next.map(|next| next.split('"').next().unwrap().replace("&#38;", "&"));
    }
    seen
}

#[test]
fn pages_follow_each_other_and_miss_nothing() {
    let mut site = site();
    let mut ids = enqueue(&mut site.sql, "fetch", 120);
    run(
        &mut site.sql,
        "SELECT pgq.enqueue('fetch', i::text, priority => i % 3, delay => (i % 4) * interval '1 h') FROM generate_series(1, 60) AS i",
    );
    ids.extend(121..=180);
    let newest = walk(&site, "/jobs");
    assert_eq!(newest, ids.iter().rev().copied().collect::<Vec<_>>());
    assert_eq!(walk(&site, "/jobs?status=queued"), newest);
    let mut next = walk(&site, "/jobs?entrypoint=fetch");
    let order: Vec<i64> = pgqueuer_e2e::ask::column(
        &mut site.database.connect(),
        "SELECT id FROM pgq.job ORDER BY priority DESC, due, id",
        &[],
    );
    assert_eq!(next, order);
    next.sort_unstable();
    assert_eq!(next, ids);
    run(&mut site.sql, "SELECT pgq.configure('fetch', max_attempts => 1)");
    run(&mut site.sql, "SELECT pgq.finish(array_agg(id), array_agg('failed'::text)) FROM pgq.dequeue('{fetch}', 130)");
    assert_eq!(walk(&site, "/failures").len(), 130);
    for address in
        ["/jobs?after=x", "/jobs?entrypoint=a&after=1_2", "/jobs?status=failed&after=x_1", "/failures?after=_"]
    {
        site.get(address).is(400);
    }
}

#[test]
fn a_job_tells_everything_of_itself() {
    let mut site = site();
    let sql = "SELECT pgq.enqueue('fetch', payload_jsonb => '{\"url\": [1, 2.50]}', headers => '{\"trace\": \"abc\"}', \
               delay => '1 hour', dedupe_key => 'd-1', ordering_key => 'o-1')";
    let id: i64 = value(&mut site.sql, sql, &[]);
    let page = site.get(&format!("/jobs/{id}"));
    page.is(200).has("is deferred").has("d-1").has("o-1").has("trace").has("2.50\n").has("Make due now");
    site.get(&format!("/jobs/{id}?view=text")).has("{&#34;url&#34;: [1, 2.50]}");
    site.get(&format!("/jobs/{id}?view=hex")).has("00000000  7b 22 75 72 6c");
    let file = site.get(&format!("/jobs/{id}/payload"));
    assert_eq!((file.body.as_str(), file.header("content-type")), ("{\"url\": [1, 2.50]}", "application/octet-stream"));
    assert!(file.header("content-disposition").starts_with("attachment"));
    run(&mut site.sql, &format!("SELECT pgq.reschedule('{{{id}}}')"));
    dequeue(&mut site.sql, "fetch", 1);
    run(&mut site.sql, &format!("SELECT pgq.fail({id}, 'no <route>')"));
    site.get(&format!("/jobs/{id}")).has("retried").has("no &#60;route&#62;");
    run(&mut site.sql, &format!("SELECT pgq.cancel('{{{id}}}')"));
    site.get(&format!("/jobs/{id}")).is(200).has("canceled").has_not("<form").has("The payload went with the job");
    site.get(&format!("/jobs/{id}/payload")).is(404);
    for unknown in ["/jobs/999999", "/jobs/-1"] {
        site.get(unknown).is(404);
    }
    for no_id in ["/jobs/x", "/jobs/99999999999999999999"] {
        site.get(no_id).is(400);
    }
}

#[test]
fn hostile_names_and_payloads_are_text() {
    let mut site = site();
    let id: i64 = value(
        &mut site.sql,
        "SELECT pgq.enqueue($1::text, payload => $1::text, headers => jsonb_build_object($1, $1), dedupe_key => $1, ordering_key => $1)",
        &[&EVIL],
    );
    run(&mut site.sql, "SELECT pgq.configure(entrypoint, max_attempts => 1, concurrency_limit => 9) FROM pgq.jobs");
    value::<i64>(&mut site.sql, "SELECT pgq.schedule($1, '0 0 1 1 *', timezone => 'UTC')", &[&EVIL]);
    let name: String = form_urlencoded::byte_serialize(EVIL.as_bytes()).collect();
    let pages = PAGES.iter().map(|page| page.replace("name=fetch", &format!("name={name}")));
    let more = [
        format!("/jobs/{id}"),
        format!("/jobs/{id}?view=text"),
        format!("/jobs?entrypoint={name}"),
        format!("/failures?entrypoint={name}"),
    ];
    let check = |site: &Site| {
        for path in pages.clone().chain(more.clone()) {
            let page = site.get(&path);
            page.is(200).has_not("<script>alert").has_not("'><script").has_not("\"'>");
            // A field that is to be sent back holds what it was given.
            if !path.contains("?entrypoint=") {
                page.has_not("\x1b").has_not("\u{202e}");
            }
        }
    };
    until("the figures are the new ones", || site.get("/entrypoints").body.contains("&#60;script").then_some(()));
    check(&site);
    let worker: Vec<i64> =
        pgqueuer_e2e::ask::column(&mut site.sql, "SELECT id FROM pgq.dequeue(ARRAY[$1::text])", &[&EVIL]);
    assert_eq!(worker, [id]);
    check(&site);
    value::<bool>(&mut site.sql, "SELECT pgq.fail($1, error => $2) IS NOT NULL", &[&id, &EVIL]);
    check(&site);
    // What a link says of it is what comes back.
    let page = site.get("/jobs").body;
    let link = page.split("/entrypoint?name=").nth(1).unwrap().split('"').next().unwrap();
    site.get(&format!("/entrypoint?name={link}")).has("value=\"9\"");
}

#[test]
fn large_and_broken_payloads_are_shown_in_part() {
    let mut site = site();
    let large: i64 = value(&mut site.sql, "SELECT pgq.enqueue('fetch', payload => repeat('<b>ü', 2000000))", &[]);
    let bytes: i64 = value(&mut site.sql, "SELECT pgq.enqueue('fetch', payload_bytes => '\\xff00fe3c'::bytea)", &[]);
    let page = site.get(&format!("/jobs/{large}"));
    page.is(200).has("The first 65.5 kB of 10.0 MB").has_not("<b>");
    assert!(page.body.len() < 500_000, "{}", page.body.len());
    assert_eq!(site.get(&format!("/jobs/{large}/payload")).body.len(), 10_000_000);
    site.get(&format!("/jobs/{bytes}")).is(200).has("ff 00 fe 3c").has("...&#60;");
    site.get("/jobs").is(200).has("ff00fe3c").has_not("<b>");
}

#[test]
fn schedules_show_their_next_ticks() {
    let mut site = site();
    run(
        &mut site.sql,
        "SELECT pgq.schedule('report', '30 6 * * mon-fri', timezone => 'Europe/Berlin', entrypoint => 'daily')",
    );
    run(&mut site.sql, "SELECT pgq.schedule('off', '@hourly'), pgq.pause_schedule('off')");
    let page = site.get("/schedules");
    page.is(200).has("30 6 * * mon-fri").has("Europe/Berlin").has("Run report now").has("Resume off").has("paused");
    let ticks: Vec<String> = pgqueuer_e2e::ask::column(
        &mut site.sql,
        "SELECT to_char(t AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS \"UTC\"') FROM pgq.cron_next('30 6 * * mon-fri', now(), 'Europe/Berlin', 5) AS t",
        &[],
    );
    assert_eq!(ticks.len(), 5);
    for tick in ticks {
        page.has(&tick);
    }
}

#[test]
fn workers_show_what_they_hold() {
    let mut site = site();
    enqueue(&mut site.sql, "fetch", 3);
    run(&mut site.sql, "SET application_name = 'a <b>worker</b>'");
    dequeue(&mut site.sql, "fetch", 2);
    run(&mut site.sql, "SELECT FROM pgq.dequeue('{fetch}', worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11')");
    let page = site.get("/workers");
    page.is(200).has("7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11").has("named").has("session").has("a &#60;b&#62;worker");
    page.has("Running longest").has("lease 30 s");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let mut site = site();
    run(
        &mut site.sql,
        "INSERT INTO pgq.job (id, created, due, entrypoint) VALUES (0, now() - interval '1 h', now() - interval '1 h', 'fetch')",
    );
    site.get("/health").is(200).has("oldest due job").has("wrong").has("Start workers of that entrypoint");
    site.get("/").has("1 check says");
}

#[test]
fn a_prefix_shows_only_its_own() {
    let mut site = site_with(Options::default().prefix("shop_"));
    let mine = enqueue(&mut site.sql, "shop_mail", 1)[0];
    let other = enqueue(&mut site.sql, "bank_mail", 1)[0];
    run(
        &mut site.sql,
        "SELECT pgq.schedule('a', '@hourly', entrypoint => 'shop_mail'), pgq.schedule('b-secret', '@hourly', entrypoint => 'bank_mail')",
    );
    for page in ["/", "/entrypoints", "/jobs", "/jobs?status=queued", "/failures", "/schedules", "/workers"] {
        site.get(page).is(200).has_not("bank").has_not("b-secret").has_not("shop_");
    }
    site.get("/jobs").has(&format!("/jobs/{mine}\""));
    site.get(&format!("/jobs/{mine}")).is(200);
    for path in [format!("/jobs/{other}"), format!("/jobs/{other}/payload")] {
        site.get(&path).is(404).has_not("bank");
    }
    site.act("cancel", &[("job", &other.to_string())]).is(303);
    site.act("run-schedule", &[("name", "b-secret")]).is(404);
    site.act("pause-schedule", &[("name", "b-secret")]).is(404);
    assert_eq!(value::<i64>(&mut site.sql, "SELECT count(*) FROM pgq.jobs", &[]), 2);
    site.act("pause", &[("name", "mail")]).is(303);
    assert!(value::<bool>(&mut site.sql, "SELECT paused FROM pgq.entrypoints WHERE entrypoint = 'shop_mail'", &[]));
}

#[test]
fn in_another_application_every_link_stays_below_its_path() {
    let mut site = site_at("/admin/queue");
    let id = enqueue(&mut site.sql, "fetch", 1)[0].to_string();
    for page in PAGES.into_iter().chain(["/nothing", "/jobs?entrypoint=fetch"]) {
        let page = site.get(&format!("/admin/queue{}", page.trim_end_matches('/')));
        for attribute in ["href", "src", "action", "data-hx-get", "data-events"] {
            for link in page.body.split(&format!(" {attribute}=\"")).skip(1).map(|rest| rest.split('"').next().unwrap())
            {
                let ours = link
                    .strip_prefix("/admin/queue")
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
                assert!(ours || link.starts_with(['?', '#']), "{attribute} {link}");
            }
        }
    }
    let page = site.get(&format!("/admin/queue/jobs/{id}"));
    let style = page.body.split("stylesheet\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(site.get(style).is(200).header("content-type").starts_with("text/css"));
    let fields = [("key", page.key()), ("job", id.clone())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let done = site.post("/admin/queue/do/cancel", &fields, &[("sec-fetch-site", "same-origin")]);
    assert_eq!(done.header("location"), format!("/admin/queue/jobs/{id}?done=canceled&n=1"));
    site.get("/jobs").is(404);
}
