//! A schedule that ticks enqueues one job for each tick, at once; what is changed holds from the commit on.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, dequeue, run, value};
use pgqueuer_e2e::cluster::{Cluster, database};
use pgqueuer_e2e::ticks::{AT_ONCE, each_second, is_without_gap, seconds, server_now, shown, ticks, until_more};
use pgqueuer_e2e::until::until;
use pgqueuer_e2e::waiter::Waiter;
use postgres::fallible_iterator::FallibleIterator;
use std::time::{Duration, Instant};

#[test]
fn each_second_gets_one_job_at_once() {
    let database = database();
    let mut session = database.connect();
    let made = server_now(&mut session);
    each_second(&mut session, "beat", ", overlap => true");
    let at = seconds(&mut session, "beat", 6);
    let committed = server_now(&mut session) - 5;
    assert!(is_without_gap(&at), "{at:?}");
    assert!(made < at[0] && at[0] <= committed + 1, "from the next second on: made at {made}, {at:?}");
    let mut late: Vec<i64> = ticks(&mut session, "beat").iter().map(|tick| tick.late).collect();
    late.sort_unstable();
    println!("from tick to job: median {} µs, worst {} µs", late[late.len() / 2], late[late.len() - 1]);
    assert!(late[0] >= 0 && late[late.len() - 1] < AT_ONCE, "{late:?}");
    let odd = "SELECT count(*) FROM pgq.jobs
                WHERE (SELECT array_agg(k ORDER BY k) FROM jsonb_object_keys(headers) AS k) <> '{schedule,scheduled_at}'
                   OR headers->>'schedule' <> 'beat' OR entrypoint <> 'beat' OR payload IS NOT NULL OR priority <> 0
                   OR execute_after <> created OR ordering_key IS NOT NULL OR dedupe_key IS NOT NULL OR attempts <> 0";
    assert_eq!(value::<i64>(&mut session, odd, &[]), 0);
}

#[test]
fn a_schedule_says_when_it_ticks_and_ticked_and_what_it_enqueued() {
    let database = database();
    let mut session = database.connect();
    each_second(&mut session, "beat", ", overlap => true");
    let at = "next_tick > now() AND next_tick <= now() + '1 s' AND last_tick IS NULL AND last_job IS NULL AND note IS NULL AND enabled";
    run(&mut session, &format!("DO $$BEGIN ASSERT (SELECT {at} FROM pgq.schedules); END$$"));
    seconds(&mut session, "beat", 2);
    // One look sees the schedule and its jobs as one transaction has left them.
    let consistent = "SELECT s.last_job = max(j.id) AND s.last_tick = max((j.headers->>'scheduled_at')::timestamptz)
                         AND s.next_tick = s.last_tick + interval '1 s' AND s.note IS NULL
                        FROM pgq.schedules AS s, pgq.jobs AS j GROUP BY s.id, s.last_job, s.last_tick, s.next_tick, s.note";
    assert!(value::<bool>(&mut session, consistent, &[]));
}

#[test]
fn a_tick_wakes_those_who_wait_and_those_who_listen() {
    let database = database();
    let (mut session, mut listener) = (database.connect(), database.connect());
    let channels: Vec<String> = column(&mut listener, "SELECT pgq.listen('{fetch}')", &[]);
    let waiter = Waiter::asleep(&database, &mut session);
    let start = Instant::now();
    run(&mut session, "SELECT pgq.schedule('often', '* * * * * *', 'fetch')");
    assert!(waiter.woken().ready.unwrap());
    let woken = start.elapsed();
    let heard = listener.notifications().timeout_iter(Duration::from_secs(10)).next().unwrap().unwrap();
    let told = start.elapsed();
    println!("woken after {woken:?}, notified after {told:?}, of at most a second until the tick");
    assert_eq!(heard.channel(), channels[0]);
    assert!(woken.max(told) < Duration::from_secs(3), "{woken:?} {told:?}");
    assert_eq!(dequeue(&mut session, "fetch", 1).len(), 1);
}

#[test]
fn what_was_rolled_back_never_happened() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    each_second(&mut session, "kept", ", overlap => true");
    run(&mut session, "BEGIN");
    each_second(&mut session, "lost", "");
    run(&mut session, "ROLLBACK; BEGIN; SAVEPOINT s");
    each_second(&mut session, "lost too", "");
    run(&mut session, "ROLLBACK TO s; COMMIT");
    for change in [
        "SELECT pgq.unschedule('kept')",
        "SELECT pgq.pause_schedule('kept')",
        "SELECT pgq.schedule('kept', '@yearly', 'other')",
        "DELETE FROM pgq.schedules",
    ] {
        run(&mut other, &format!("BEGIN; {change}; ROLLBACK"));
        until_more(&mut session, "kept", 1);
    }
    assert_eq!(column::<String>(&mut session, "SELECT name FROM pgq.schedules", &[]), ["kept"]);
    assert_eq!(column::<String>(&mut session, "SELECT DISTINCT entrypoint FROM pgq.jobs", &[]), ["kept"]);
    let at = seconds(&mut session, "kept", 1);
    assert!(is_without_gap(&at), "{at:?}");
}

#[test]
fn a_change_takes_effect_at_its_commit_and_no_tick_before_it_is_lost() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    each_second(&mut session, "control", ", overlap => true");
    each_second(&mut session, "changed", ", 'old', overlap => true");
    until_more(&mut session, "changed", 2);
    run(&mut other, "BEGIN");
    each_second(&mut other, "changed", ", 'new', overlap => true");
    let before = seconds(&mut session, "changed", 1).len();
    until_more(&mut session, "control", 3);
    let open = ticks(&mut session, "changed").len();
    assert!(open <= before + 1, "while somebody is changing it, it does not tick: {before} and {open}");
    run(&mut other, "COMMIT");
    until_more(&mut session, "changed", 4);
    let at = seconds(&mut session, "changed", 1);
    assert!(is_without_gap(&at), "{at:?}");
    let entrypoints = "SELECT entrypoint FROM pgq.jobs WHERE headers->>'schedule' = 'changed' ORDER BY id";
    let entrypoints: Vec<String> = column(&mut session, entrypoints, &[]);
    let first_new = entrypoints.iter().position(|entrypoint| entrypoint == "new").unwrap();
    assert!(entrypoints[first_new..].iter().all(|entrypoint| entrypoint == "new"), "{entrypoints:?}");
    assert!(first_new <= open && first_new > 0, "{entrypoints:?}");
}

#[test]
fn a_schedule_that_is_made_slower_or_faster_or_removed_ticks_so_at_once() {
    let database = database();
    let mut session = database.connect();
    each_second(&mut session, "control", ", overlap => true");
    run(&mut session, "SELECT pgq.schedule('s', '@yearly', overlap => true)");
    until_more(&mut session, "control", 2);
    assert_eq!(ticks(&mut session, "s"), []);
    let start = Instant::now();
    each_second(&mut session, "s", ", overlap => true");
    seconds(&mut session, "s", 2);
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    for stop in ["SELECT pgq.schedule('s', '@yearly', overlap => true)", "SELECT pgq.unschedule('s')"] {
        each_second(&mut session, "s", ", overlap => true");
        until_more(&mut session, "s", 1);
        run(&mut session, stop);
        let stopped = ticks(&mut session, "s").len();
        until_more(&mut session, "control", 2);
        assert_eq!(ticks(&mut session, "s").len(), stopped, "{stop}");
    }
}

#[test]
fn a_paused_schedule_is_silent_and_a_resumed_one_makes_up_for_nothing() {
    let database = database();
    let mut session = database.connect();
    each_second(&mut session, "control", ", overlap => true");
    each_second(&mut session, "s", ", overlap => true, catch_up => 'all'");
    until_more(&mut session, "s", 1);
    run(&mut session, "SELECT pgq.pause_schedule('s')");
    let paused = ticks(&mut session, "s").len();
    until_more(&mut session, "control", 3);
    // A change leaves it paused.
    each_second(&mut session, "s", ", overlap => true, catch_up => 'all'");
    until_more(&mut session, "control", 1);
    assert_eq!(ticks(&mut session, "s").len(), paused);
    assert_eq!(shown(&mut session, "s", "ROW(enabled, next_tick)").unwrap(), "(f,)");
    let resumed = server_now(&mut session);
    run(&mut session, "SELECT pgq.resume_schedule('s')");
    until_more(&mut session, "s", 2);
    let at = seconds(&mut session, "s", 1);
    assert!(at[paused] > resumed && at[paused] <= resumed + 2, "resumed at {resumed}, {:?}", &at[paused..]);
    assert!(is_without_gap(&at[paused..]));
}

#[test]
fn priority_ordering_key_headers_and_payload_reach_the_jobs() {
    let database = database();
    let mut session = database.connect();
    let more = ", 'work', 'täglich', priority => -7, ordering_key => 'key', overlap => true,
                  headers => '{\"trace\": [1, null], \"schedule\": \"mine\"}'";
    each_second(&mut session, "text", more);
    each_second(&mut session, "bytes", ", payload_bytes => '\\x00ff5c', overlap => true, headers => '{}'");
    seconds(&mut session, "text", 1);
    seconds(&mut session, "bytes", 1);
    let all = "SELECT concat_ws(' ', entrypoint, payload, priority, ordering_key, headers - 'scheduled_at')
                 FROM pgq.jobs WHERE headers->>'schedule' = $1 LIMIT 1";
    let text = r#"work \x74c3a4676c696368 -7 key {"trace": [1, null], "schedule": "text"}"#;
    assert_eq!(value::<String>(&mut session, all, &[&"text"]), text);
    assert_eq!(value::<String>(&mut session, all, &[&"bytes"]), r#"bytes \x00ff5c 0 {"schedule": "bytes"}"#);
    // One with a higher priority first, and those of one key one after the other.
    assert_eq!(dequeue(&mut session, "work", 9).len(), 1);
    assert_eq!(dequeue(&mut session, "work", 9).len(), 0);
}

#[test]
fn a_producer_sees_the_status_of_the_jobs_of_its_schedule() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let (mut session, mut other, mut stranger) = (database.connect(), database.connect(), database.connect());
    run(
        &mut session,
        "CREATE ROLE anna; CREATE ROLE bert; SELECT pgq.grant_producer('anna'), pgq.grant_producer('bert')",
    );
    run(&mut session, "GRANT EXECUTE ON FUNCTION pgq.schedule TO anna");
    run(&mut other, "SET SESSION AUTHORIZATION anna");
    run(&mut stranger, "SET SESSION AUTHORIZATION bert");
    each_second(&mut other, "hers", "");
    seconds(&mut session, "hers", 1);
    let jobs: Vec<i64> = ticks(&mut session, "hers").iter().map(|tick| tick.job).collect();
    let status = "SELECT status::text FROM pgq.status($1)";
    assert_eq!(column::<String>(&mut other, status, &[&jobs]), ["queued"]);
    assert_eq!(column::<String>(&mut stranger, status, &[&jobs]), [""; 0]);
    run(&mut session, "SELECT pgq.complete(id) FROM pgq.dequeue('{hers}')");
    assert_eq!(column::<String>(&mut other, status, &[&jobs]), ["successful"]);
    assert_eq!(column::<String>(&mut stranger, status, &[&jobs]), [""; 0]);
}

#[test]
fn a_schedule_of_a_transaction_that_was_prepared_ticks_from_its_commit_on() {
    let cluster = Cluster::start(&[("max_prepared_transactions", "4")]);
    let database = cluster.database();
    let (mut session, mut other) = (database.connect(), database.connect());
    run(&mut session, "SELECT pgq.schedule('rare', '@yearly')");
    until("the scheduler has looked", || {
        (shown(&mut session, "rare", "next_tick").is_some() && is_asleep(&mut session)).then_some(())
    });
    run(&mut session, "BEGIN");
    each_second(&mut session, "prepared", ", overlap => true");
    run(&mut session, "PREPARE TRANSACTION 'p'");
    run(&mut other, "COMMIT PREPARED 'p'");
    let at = seconds(&mut session, "prepared", 3);
    assert!(is_without_gap(&at), "{at:?}");
}

/// Whether the database's background worker sleeps.
fn is_asleep(session: &mut postgres::Client) -> bool {
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                  AND backend_type = 'pgqueuer worker' AND wait_event_type = 'Extension'";
    value::<i64>(session, sleeps, &[]) == 1
}
