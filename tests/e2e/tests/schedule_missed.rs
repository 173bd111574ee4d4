//! Ticks of a time in which nobody could fire them: the server was down, or its background workers were.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, dequeue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database};
use pgqueuer_e2e::ticks::{AT_ONCE, Tick, each_second, is_without_gap, seconds, server_now, shown, ticks, until_more};
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const POLICIES: [&str; 3] = ["skip", "one", "all"];

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Three seconds in a row, from the third on, in which nobody is to fire.
fn three_to_come() -> [u64; 3] {
    let first = now() + 3;
    [first, first + 1, first + 2]
}

fn until_past(at: [u64; 3]) {
    until_within(Duration::from_secs(20), "three ticks have passed", || (now() > at[2]).then_some(()));
}

/// One schedule for each policy, each with and without overlap, that tick in these seconds of each minute.
fn schedule_at(session: &mut Client, at: [u64; 3]) {
    let [one, two, three] = at.map(|second| second % 60);
    for policy in POLICIES {
        for overlap in [true, false] {
            let sql = format!(
                "SELECT pgq.schedule('{policy} {overlap}', '* * * * * {one},{two},{three}', catch_up => '{policy}', overlap => {overlap})"
            );
            run(session, &sql);
        }
    }
}

/// What became of the three ticks, by policy.
fn made_up(session: &mut Client, at: [u64; 3]) {
    until("the schedules have gone on", || {
        let behind = "SELECT count(*) FROM pgq.schedules WHERE next_tick < clock_timestamp()";
        (value::<i64>(session, behind, &[]) == 0).then_some(())
    });
    for overlap in [true, false] {
        let mut jobs = |policy: &str| -> Vec<u64> {
            let ticks = ticks(session, &format!("{policy} {overlap}"));
            ticks.iter().map(|tick: &Tick| tick.second().unsigned_abs()).collect()
        };
        assert_eq!(jobs("skip"), [0; 0], "skip, overlap {overlap}");
        assert_eq!(jobs("one"), at[2..], "one, overlap {overlap}");
        assert_eq!(jobs("all"), at, "all, overlap {overlap}");
        let mut note = |policy: &str| shown(session, &format!("{policy} {overlap}"), "note");
        assert!(note("skip").is_some_and(|note| note.contains("missed")));
        assert!(note("one").is_some_and(|note| note.contains("2 missed ticks")));
        assert_eq!(note("all"), None);
    }
    let last: Vec<f64> = column(session, "SELECT extract(epoch FROM last_tick)::float8 FROM pgq.schedules", &[]);
    assert!(last.iter().all(|last| *last as u64 == at[2]), "{last:?}");
}

fn over_a_stop(how: Stop) {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let at = three_to_come();
    schedule_at(&mut session, at);
    cluster.stop(how);
    assert!(now() < at[0], "the server is down before the first tick");
    until_past(at);
    cluster.begin();
    made_up(&mut database.connect(), at);
}

#[test]
fn what_a_stopped_server_missed_is_made_up_for_as_the_schedule_says() {
    over_a_stop(Stop::Fast);
}

#[test]
fn what_a_crashed_server_missed_is_made_up_for_as_the_schedule_says() {
    over_a_stop(Stop::Immediate);
}

#[test]
fn what_was_missed_while_background_workers_were_off_is_made_up_for_as_the_schedule_says() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    let at = three_to_come();
    schedule_at(&mut session, at);
    run(&mut session, "ALTER SYSTEM SET pgqueuer.enabled = off");
    run(&mut session, "SELECT pg_reload_conf()");
    until("the worker is gone", || (workers(&mut session) == [0; 0]).then_some(()));
    until_past(at);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs", &[]), 0);
    run(&mut session, "ALTER SYSTEM RESET pgqueuer.enabled");
    run(&mut session, "SELECT pg_reload_conf()");
    made_up(&mut session, at);
}

/// The background workers of the session's database.
fn workers(session: &mut Client) -> Vec<i32> {
    let sql =
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'pgqueuer worker'";
    column(session, sql, &[])
}

#[test]
fn no_tick_is_lost_or_comes_twice_where_the_background_worker_is_ended_again_and_again() {
    let database = database();
    let mut session = database.connect();
    for policy in POLICIES {
        each_second(&mut session, policy, &format!(", overlap => true, catch_up => '{policy}'"));
    }
    for _ in 0..5 {
        until_more(&mut session, "one", 1);
        let running = until("there is a worker", || workers(&mut session).first().copied());
        run(&mut session, &format!("SELECT pg_terminate_backend({running})"));
        until("it has ended", || (!workers(&mut session).contains(&running)).then_some(()));
    }
    for policy in POLICIES {
        until_more(&mut session, policy, 2);
        let at = seconds(&mut session, policy, 1);
        assert!(is_without_gap(&at), "{policy}: {at:?}");
    }
}

#[test]
fn no_tick_is_lost_or_comes_twice_over_crashes_where_all_are_made_up_for() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    for policy in POLICIES {
        each_second(&mut session, policy, &format!(", overlap => true, catch_up => '{policy}'"));
    }
    seconds(&mut session, "all", 1);
    for _ in 0..4 {
        let before = ticks(&mut session, "all").len();
        cluster.stop(Stop::Immediate);
        cluster.begin();
        session = database.connect();
        seconds(&mut session, "all", before + 2);
    }
    let all = seconds(&mut session, "all", 1);
    assert!(is_without_gap(&all), "{all:?}");
    for policy in ["one", "skip"] {
        let at = seconds(&mut session, policy, 1);
        assert!(at.windows(2).all(|pair| pair[0] < pair[1]), "{policy}, none twice: {at:?}");
    }
}

#[test]
fn a_thousand_are_made_up_for_at_most_and_those_are_the_newest() {
    let database = database();
    let mut session = database.connect();
    for (name, cron, more) in
        [("many", "* * * * * *", "true"), ("in order", "* * * * * *", "false"), ("few", "*/10 * * * *", "true")]
    {
        let sql = format!(
            "SELECT pgq.schedule('{name}', '{cron}', catch_up => 'all', overlap => {more}), pgq.pause_schedule('{name}')"
        );
        run(&mut session, &sql);
    }
    // As where they had stood still for two hours.
    let start = server_now(&mut session);
    run(
        &mut session,
        "UPDATE pgq.schedules SET enabled = true, next_tick = date_trunc('second', now()) - interval '2 hours'",
    );
    for name in ["many", "in order"] {
        until(name, || (ticks(&mut session, name).len() >= 1000).then_some(()));
        run(&mut session, &format!("SELECT pgq.pause_schedule('{name}')"));
        let at = seconds(&mut session, name, 1000);
        assert!(is_without_gap(&at), "{name}");
        assert!((start - 999..=start - 993).contains(&at[0]), "the newest: {}", start - at[0]);
    }
    assert_eq!(ticks(&mut session, "in order").len(), 1000, "its last job is not done");
    let few = ticks(&mut session, "few").len();
    assert!((12..=13).contains(&few), "{few}");
}

#[test]
fn a_paused_schedule_stays_paused_over_a_restart_and_makes_up_for_nothing() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    for name in ["paused", "control"] {
        each_second(&mut session, name, ", overlap => true, catch_up => 'all'");
    }
    until_more(&mut session, "paused", 1);
    run(&mut session, "SELECT pgq.pause_schedule('paused')");
    let before = ticks(&mut session, "paused").len();
    cluster.stop(Stop::Fast);
    cluster.begin();
    let mut session = database.connect();
    until_more(&mut session, "control", 2);
    assert_eq!(ticks(&mut session, "paused").len(), before);
    let resumed = server_now(&mut session);
    run(&mut session, "SELECT pgq.resume_schedule('paused')");
    until_more(&mut session, "paused", 2);
    let at = seconds(&mut session, "paused", 1);
    assert!(at[before] > resumed && is_without_gap(&at[before..]), "{resumed}: {at:?}");
}

#[test]
fn a_last_job_that_is_live_over_a_restart_blocks_what_was_missed() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    let mut session = database.connect();
    for policy in POLICIES {
        each_second(&mut session, policy, &format!(", catch_up => '{policy}'"));
    }
    POLICIES.iter().for_each(|policy| _ = seconds(&mut session, policy, 1));
    assert_eq!(dequeue(&mut session, "one", 1).len(), 1);
    cluster.stop(Stop::Immediate);
    cluster.begin();
    let mut session = database.connect();
    each_second(&mut session, "control", ", overlap => true");
    until_more(&mut session, "control", 3);
    for policy in POLICIES {
        assert_eq!(ticks(&mut session, policy).len(), 1, "{policy}");
    }
}

#[test]
fn after_a_restart_the_first_tick_comes_on_time() {
    let cluster = Cluster::start(&[]);
    let databases: Vec<Database> = (0..3).map(|_| cluster.database()).collect();
    for database in &databases {
        each_second(&mut database.connect(), "s", ", overlap => true, catch_up => 'skip'");
    }
    cluster.stop(Stop::Fast);
    cluster.begin();
    for database in &databases {
        let mut session = database.connect();
        let up = "SELECT floor(extract(epoch FROM pg_postmaster_start_time()))::bigint";
        let up: i64 = value(&mut session, up, &[]);
        let after = |session: &mut Client| -> Vec<Tick> {
            ticks(session, "s").into_iter().filter(|tick| tick.second() > up).collect()
        };
        let after = until("it ticks", || Some(after(&mut session)).filter(|after| after.len() >= 2));
        assert!(after[0].second() <= up + 3, "up at {up}: {after:?}");
        assert!(after.iter().all(|tick| tick.late < AT_ONCE), "{after:?}");
    }
}
