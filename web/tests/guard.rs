//! Who is let in, what is refused, and that nobody who asks badly does harm.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "a test ends with a panic")]

mod site;

use pgqueuer_e2e::ask::{enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Stop, database};
use pgqueuer_e2e::until::{until, until_within};
use pgqueuer_web::Options;
use site::{Site, site, site_of, site_with};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// `anybody:s3cret`.
const BASIC: (&str, &str) = ("authorization", "Basic YW55Ym9keTpzM2NyZXQ=");

fn live(site: &mut Site) -> i64 {
    value(&mut site.sql, "SELECT count(*) FROM pgq.jobs", &[])
}

#[test]
fn every_answer_forbids_what_it_does_not_need() {
    let site = site();
    for path in ["/", "/jobs/1", "/nothing", "/static/pgq.css", "/healthz", "/do/cancel", "/events"] {
        let answer = if path == "/events" { head(&site, path) } else { site.get(path).headers };
        let header = |name: &str| answer.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; ") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(header("referrer-policy"), "same-origin", "{path}");
    }
    assert_eq!(site.get("/").header("cache-control"), "no-store");
    assert!(site.get("/static/pgq.css").header("cache-control").contains("immutable"));
}

/// The head of an answer whose body does not end.
fn head(site: &Site, path: &str) -> ureq::http::HeaderMap {
    ureq::get(site.url(path)).call().unwrap().headers().clone()
}

#[test]
fn without_the_password_or_the_token_nothing_is_shown() {
    let options = Options::default().password("s3cret").unwrap().token("t0ken").unwrap();
    let mut site = site_with(options);
    enqueue(&mut site.sql, "fetch", 1);
    for path in ["/", "/jobs", "/jobs/1", "/jobs/1/payload", "/events", "/static/pgq.css", "/nothing"] {
        let answer = site.get(path);
        answer.is(401).has_not("fetch");
        assert!(answer.header("www-authenticate").starts_with("Basic "), "{path}");
        // anybody:wrong
        site.get_with(path, &[("authorization", "Basic YW55Ym9keTp3cm9uZw==")]).is(401);
        site.get_with(path, &[("authorization", "Bearer s3cret")]).is(401);
    }
    site.post("/do/cancel", &[("job", "1")], &[]).is(401);
    site.get_with("/jobs", &[BASIC]).is(200).has("fetch");
    site.get_with("/jobs", &[("authorization", "Bearer t0ken")]).is(200).has("fetch");
    site.get("/healthz").is(200).has("ok");
    assert_eq!(live(&mut site), 1);
}

#[test]
fn a_form_of_another_site_does_nothing() {
    let mut site = site();
    let id = enqueue(&mut site.sql, "fetch", 1)[0].to_string();
    let key = site.get(&format!("/jobs/{id}")).key();
    let here = format!("http://{}", site.address);
    let ours = [("key", key.as_str()), ("job", id.as_str())];
    for headers in [
        [("sec-fetch-site", "cross-site")],
        [("sec-fetch-site", "same-site")],
        [("sec-fetch-site", "none")],
        [("origin", "https://evil.example")],
        [("origin", "null")],
    ] {
        site.post("/do/cancel", &ours, &headers).is(403).has("another site");
    }
    for key in ["", "0", &"0".repeat(64)] {
        site.post("/do/cancel", &[("key", key), ("job", &id)], &[("sec-fetch-site", "same-origin")]).is(403);
    }
    site.post("/do/cancel", &[("job", &id)], &[]).is(403);
    site.get(&format!("/do/cancel?key={key}&job={id}")).is(405);
    assert_eq!(live(&mut site), 1);
    site.post("/do/cancel", &ours, &[("origin", &here)]).is(303);
    assert_eq!(live(&mut site), 0);
}

#[test]
fn read_only_shows_no_action_and_refuses_them() {
    let mut site = site_with(Options::default().read_only(true));
    let id = enqueue(&mut site.sql, "fetch", 1)[0];
    run(&mut site.sql, "SELECT pgq.schedule('report', '@hourly')");
    for path in
        ["/", "/entrypoints", "/entrypoint?name=fetch", "/jobs", &format!("/jobs/{id}"), "/failures", "/schedules"]
    {
        site.get(path).is(200).has_not("<button id=\"act").has_not(">Pause<").has_not(">Save<").has("read-only");
    }
    let key = site.get("/entrypoint?name=fetch").key();
    for action in ["cancel", "delete", "requeue", "run-now", "failed", "pause", "resume", "configure", "run-schedule"] {
        let fields = [("key", key.as_str()), ("job", &id.to_string()), ("name", "fetch")];
        site.post(&format!("/do/{action}"), &fields, &[("sec-fetch-site", "same-origin")]).is(403).has("only looks");
    }
    assert_eq!(live(&mut site), 1);
}

#[test]
fn a_name_that_somebody_pointed_here_gets_no_answer() {
    let site = site_with(Options::default().hosts(["127.0.0.1", "localhost"]));
    site.get("/").is(200);
    for name in ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""] {
        let answer = said(&site, &format!("GET /jobs HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 421") || answer.starts_with("HTTP/1.1 400"), "{name}: {answer}");
        assert!(!answer.contains("Entrypoint<"), "{name}: {answer}");
    }
    assert!(said(&site, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.0 421"));
    assert!(
        said(&site, "GET / HTTP/1.1\r\nHost: localhost:9\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 200")
    );
}

/// Says something, and returns all that is answered until the server hangs up.
fn said(site: &Site, text: &str) -> String {
    let mut stream = TcpStream::connect(site.address).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = vec![];
    stream.read_to_end(&mut answer).unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn no_path_leads_out_of_the_files_that_are_ours() {
    let site = site();
    for path in [
        "/static/../Cargo.toml",
        "/static/%2e%2e/%2e%2e/etc/passwd",
        "/static/..%2f..%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/%00",
        "/static/",
    ] {
        let answer = said(&site, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
        assert!(!answer.contains("root:") && !answer.contains("[package]"), "{path}");
    }
}

#[test]
fn a_form_that_is_too_large_or_too_slow_is_refused() {
    let mut site = site();
    enqueue(&mut site.sql, "fetch", 1);
    site.post_bytes("/do/cancel", &vec![b'a'; 65_537], &[]).is(413);
    let head = "POST /do/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000000\r\nConnection: close\r\n\r\n";
    assert!(said(&site, head).starts_with("HTTP/1.1 413"));
    // A body that does not come.
    let begun = Instant::now();
    let answer =
        said(&site, "POST /do/cancel HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\nConnection: close\r\n\r\nid");
    assert!(!answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(begun.elapsed() < Duration::from_secs(25), "{:?}", begun.elapsed());
    assert!(
        said(&site, &format!("GET / HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(100_000)))
            .starts_with("HTTP/1.1 431")
    );
    assert_eq!(live(&mut site), 1);
}

#[test]
fn silent_clients_keep_nobody_out() {
    let site = site();
    let silent: Vec<TcpStream> = (0..200)
        .map(|place| {
            let mut stream = TcpStream::connect(site.address).unwrap();
            if place % 2 == 0 {
                stream.write_all(b"GET / HTTP/1.1\r\nHost:").unwrap();
            }
            stream
        })
        .collect();
    site.get("/").is(200);
    // They are told to go, sooner or later.
    let mut first = &silent[0];
    first.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut answer = vec![];
    first.read_to_end(&mut answer).unwrap();
    assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 2"));
}

#[test]
fn a_database_that_is_away_is_said_without_its_address_and_comes_back() {
    let cluster = Cluster::start(&[]);
    let (name, address) = {
        let database = cluster.database();
        (database.name.clone(), format!("{} password=hunter2", database.address()))
    };
    // The server of this test alone is stopped; the site's own sessions go to the shared one.
    let site = site_of(database(), &address, Options::default());
    site.get("/jobs").is(200);
    cluster.stop(Stop::Immediate);
    for path in ["/jobs", "/", "/jobs/1", "/healthz"] {
        let answer = until("the page fails", || Some(site.get(path)).filter(|answer| answer.status != 200));
        answer
            .is(503)
            .has("cannot be reached")
            .has_not("hunter2")
            .has_not(&name)
            .has_not("127.0.0.1")
            .has_not("refused");
    }
    cluster.begin();
    until_within(Duration::from_secs(30), "the pages come back", || (site.get("/").status == 200).then_some(()));
    until("healthz comes back", || (site.get("/healthz").status == 200).then_some(()));
}

#[test]
fn a_wrong_login_or_database_tells_nothing_of_it() {
    let shared = database();
    let address = shared.address();
    for wrong in [address.replace("user=postgres", "user=hunter2"), address.replace("dbname=", "dbname=hunter2_")] {
        let site = site_of(database(), &wrong, Options::default());
        site.get("/").is(503).has_not("hunter2");
        site.get("/jobs").is(503).has_not("hunter2");
    }
}

#[test]
fn a_database_without_the_queue_says_so() {
    let empty = pgqueuer_e2e::cluster::empty_database();
    let address = empty.address();
    let site = site_of(database(), &address, Options::default());
    site.get("/").is(503).has("CREATE EXTENSION pgqueuer");
    site.get("/jobs").is(503).has("CREATE EXTENSION pgqueuer");
}

#[test]
fn a_monitor_sees_everything_and_changes_nothing() {
    let database = database();
    let mut sql = database.connect();
    let role = format!("monitor_{}", database.name);
    run(&mut sql, &format!("CREATE ROLE {role} LOGIN; SELECT pgq.grant_monitor('{role}')"));
    let id = enqueue(&mut sql, "fetch", 2)[0];
    pgqueuer_e2e::ask::dequeue(&mut sql, "fetch", 1);
    run(&mut sql, "SELECT pgq.schedule('report', '@hourly')");
    let address = database.address().replace("user=postgres", &format!("user={role}"));
    let site = site_of(database, &address, Options::default());
    for path in [
        "/",
        "/entrypoints",
        "/entrypoint?name=fetch",
        "/jobs",
        "/jobs?entrypoint=fetch",
        "/failures",
        "/schedules",
        "/workers",
        "/health",
    ] {
        site.get(path).is(200);
    }
    site.get(&format!("/jobs/{id}")).is(200).has("fetch");
    site.act("cancel", &[("job", &id.to_string())]).is(403).has("pgq.grant_admin");
    site.act("run-schedule", &[("name", "report")]).is(403);
}

#[test]
fn no_page_waits_for_a_lock_and_none_is_waited_for() {
    let mut site = site();
    let ids = enqueue(&mut site.sql, "fetch", 2);
    let mut other = site.database.connect();
    let mut locks = other.transaction().unwrap();
    run(&mut locks, "SELECT FROM pgq.job FOR UPDATE; SELECT FROM pgq.entrypoints FOR UPDATE");
    for path in ["/", "/entrypoints", "/jobs", &format!("/jobs/{}", ids[0]), "/failures", "/workers", "/health"] {
        site.get(path).is(200);
    }
    // An action waits a second, and says so.
    site.act("cancel", &[("job", &ids[0].to_string())]).is(409).has("Try again");
    locks.rollback().unwrap();
    let mut locks = other.transaction().unwrap();
    run(&mut locks, "LOCK pgq.job");
    let begun = Instant::now();
    site.get("/jobs").is(409);
    assert!(begun.elapsed() < Duration::from_secs(3));
}
