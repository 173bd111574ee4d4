//! A great many jobs, and great ones.

use crate::pgq::pgq;
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::database;
use std::time::{Duration, Instant};

#[test]
fn a_hundred_thousand_jobs_take_well_under_a_minute() {
    let database = database();
    let upstream = Upstream::install(&database);
    let mut session = database.connect();
    run(
        &mut session,
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload, dedupe_key, headers, attempts)
         SELECT i % 5, (CASE WHEN i % 10 = 0 THEN 'failed' ELSE 'queued' END)::pgqueuer_status, 'e' || i % 20, convert_to(repeat(i::text, 20), 'UTF8'),
                'key ' || i, 'null', i % 3 FROM generate_series(1, 100000) AS i;
         INSERT INTO pgqueuer_log (job_id, status, priority, entrypoint, traceback)
         SELECT id, 'failed', 0, entrypoint, '{\"exception_message\": \"no\"}' FROM pgqueuer WHERE status = 'failed'",
    );
    let began = Instant::now();
    assert!(pgq(&database, &["import"]).ok().contains("100,000 jobs"));
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    assert!(upstream.ids("pgqueuer").is_empty());
    let jobs = "SELECT format('%s %s %s', count(*), count(*) FILTER (WHERE held), bool_and(payload = convert_to(repeat(substr(dedupe_key, 5), 20), 'UTF8'))) FROM pgq.job";
    assert_eq!(value::<String>(&mut session, jobs, &[]), "100000 10000 t");
}

#[test]
fn payloads_of_megabytes_come_over_a_few_at_a_time() {
    let database = database();
    let upstream = Upstream::install(&database);
    let mut session = database.connect();
    run(
        &mut session,
        "INSERT INTO pgqueuer (priority, status, entrypoint, payload)
         SELECT 0, 'queued', 'big', convert_to(repeat(md5(i::text), 100000), 'UTF8') FROM generate_series(1, 20) AS i",
    );
    let old: Vec<u8> = value(&mut session, "SELECT string_agg(sha256(payload), '' ORDER BY id) FROM pgqueuer", &[]);
    pgq(&database, &["import"]).ok();
    let new: Vec<u8> = value(&mut session, "SELECT string_agg(sha256(payload), '' ORDER BY id) FROM pgq.jobs", &[]);
    assert_eq!((old.len(), old), (640, new));
    assert!(upstream.ids("pgqueuer").is_empty());
}
