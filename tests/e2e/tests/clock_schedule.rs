//! Somebody sets the server's clock, or it changes with the season: no tick comes twice, and the schedules go on.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::clock::{Clock, cluster_at};
use pgqueuer_e2e::cluster::{Cluster, Stop};
use pgqueuer_e2e::ticks::{Tick, each_second, is_without_gap, seconds, shown, ticks, until_more};
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::time::{Duration, Instant};

/// 2027-03-10 12:00 UTC.
const NOON: i64 = 1_804_680_000;
/// 2027-03-28 00:00 UTC: at 01:00 clocks in Berlin go from 2:00 to 3:00.
const SPRING: i64 = 1_806_192_000;
/// 2027-10-31 00:00 UTC: at 01:00 clocks in Berlin go from 3:00 to 2:00.
const AUTUMN: i64 = 1_824_940_800;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

fn schedule(session: &mut Client, name: &str, cron: &str, more: &str) {
    run(session, &format!("SELECT pgq.schedule('{name}', '{cron}', overlap => true{more})"));
}

/// The ticks of a schedule so far, in seconds since 1970.
fn at(session: &mut Client, name: &str) -> Vec<i64> {
    ticks(session, name).iter().map(Tick::second).collect()
}

/// Waits until no schedule is behind the clock.
fn until_done(session: &mut Client) {
    until("the schedules have gone on", || {
        let behind = "SELECT count(*) FROM pgq.schedules WHERE next_tick < clock_timestamp()";
        (value::<i64>(session, behind, &[]) == 0).then_some(())
    });
}

/// Lets so much time pass in which nothing is to happen.
fn quiet(seconds: u64) {
    let start = Instant::now();
    until("time has passed", || (start.elapsed() > Duration::from_secs(seconds)).then_some(()));
}

#[test]
fn a_clock_set_forward_by_an_hour_makes_up_for_ticks_as_the_schedule_says() {
    let (cluster, clock) = cluster_at(NOON + 5, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    for policy in ["skip", "one", "all"] {
        let more = format!(", catch_up => '{policy}'");
        schedule(&mut session, policy, "0 * * * *", &more);
        schedule(&mut session, &format!("{policy} often"), "*/10 * * * *", &more);
    }
    clock.set(&cluster, NOON + HOUR + 30 * MINUTE + 5);
    until_done(&mut session);
    for (policy, hourly) in [("skip", vec![]), ("one", vec![NOON + HOUR]), ("all", vec![NOON + HOUR])] {
        assert_eq!(at(&mut session, policy), hourly, "{policy}");
    }
    let last = NOON + HOUR + 30 * MINUTE;
    assert_eq!(at(&mut session, "skip often"), [0; 0]);
    assert_eq!(at(&mut session, "one often"), [last]);
    assert_eq!(at(&mut session, "all often"), (1..=9).map(|n| NOON + n * 10 * MINUTE).collect::<Vec<_>>());
    clock.set(&cluster, last + 10 * MINUTE - 2);
    for policy in ["skip", "one", "all"] {
        let ticked =
            until(policy, || at(&mut session, &format!("{policy} often")).last().copied().filter(|at| *at > last));
        assert_eq!(ticked, last + 10 * MINUTE);
    }
}

#[test]
fn a_clock_set_forward_by_seconds_makes_up_for_ticks_as_the_schedule_says() {
    let (cluster, clock) = cluster_at(NOON, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    for policy in ["skip", "one", "all"] {
        each_second(&mut session, policy, &format!(", overlap => true, catch_up => '{policy}'"));
    }
    for step in [3, 45] {
        until_more(&mut session, "all", 1);
        let before = at(&mut session, "all").len();
        clock.step(&cluster, step);
        let all = seconds(&mut session, "all", before + usize::try_from(step).unwrap() + 2);
        assert!(is_without_gap(&all), "{step}: {all:?}");
        for policy in ["skip", "one"] {
            let at = at(&mut session, policy);
            assert!(at.windows(2).all(|pair| pair[0] < pair[1]), "{policy}, {step}: {at:?}");
            let gaps = at.windows(2).filter(|pair| pair[1] - pair[0] > 1).count();
            assert!(gaps > 0 && gaps <= 2, "{policy}, {step}: {at:?}");
            // It is the older one: it may have ticked before there was the other.
            let of_both = |at: &&i64| (all[0]..=all[all.len() - 1]).contains(*at);
            assert!(at.iter().filter(of_both).all(|at| all.contains(at)), "{policy}, {step}: {at:?}, {all:?}");
            assert!(all[all.len() - 1] - at[at.len() - 1] <= 1, "it goes on");
        }
    }
}

#[test]
fn a_clock_set_back_by_seconds_repeats_no_tick_and_loses_none() {
    let (cluster, clock) = cluster_at(NOON, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    each_second(&mut session, "s", ", overlap => true, catch_up => 'all'");
    until_more(&mut session, "s", 2);
    clock.step(&cluster, -2);
    until_more(&mut session, "s", 2);
    clock.step_stopped(-2);
    until_more(&mut session, "s", 2);
    clock.step(&cluster, -50);
    let before = at(&mut session, "s").len();
    quiet(2);
    assert!(at(&mut session, "s").len() <= before + 1, "it waits");
    clock.step(&cluster, 50);
    until_more(&mut session, "s", 4);
    let at = at(&mut session, "s");
    assert!(is_without_gap(&at), "{at:?}");
}

#[test]
fn a_clock_set_back_by_a_minute_repeats_no_tick_of_minutes_or_hours() {
    let (cluster, clock) = cluster_at(NOON - 50, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    for (name, cron) in [("minute", "* * * * *"), ("hour", "0 * * * *"), ("five", "*/5 * * * *")] {
        schedule(&mut session, name, cron, "");
    }
    clock.set(&cluster, NOON - 1);
    for name in ["minute", "hour", "five"] {
        assert_eq!(seconds(&mut session, name, 1), [NOON]);
    }
    clock.step(&cluster, -MINUTE);
    quiet(1);
    clock.set(&cluster, NOON);
    quiet(2);
    for name in ["minute", "hour", "five"] {
        assert_eq!(at(&mut session, name), [NOON], "{name}");
    }
    clock.set(&cluster, NOON + MINUTE - 1);
    assert_eq!(seconds(&mut session, "minute", 2), [NOON, NOON + MINUTE]);
    clock.set(&cluster, NOON + 5 * MINUTE - 1);
    assert_eq!(seconds(&mut session, "five", 2), [NOON, NOON + 5 * MINUTE]);
}

/// Four schedules that have all ticked at noon.
fn ticked_at_noon() -> (Cluster, Clock, String) {
    let (cluster, clock) = cluster_at(NOON - 50, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    for (name, cron) in
        [("second", "* * * * * *"), ("minute", "* * * * *"), ("hour", "0 * * * *"), ("day", "0 12 * * *")]
    {
        schedule(&mut session, name, cron, "");
    }
    clock.set(&cluster, NOON - 1);
    for name in ["minute", "hour", "day"] {
        until(name, || at(&mut session, name).contains(&NOON).then_some(()));
    }
    let name = database.name;
    (cluster, clock, name)
}

/// The schedule ticks within its period from now on.
fn goes_on(session: &mut Client, name: &str, period: i64) {
    until_within(Duration::from_secs(5), &format!("{name} goes on"), || {
        let soon = format!(
            "next_tick > clock_timestamp() - interval '1 s' AND next_tick <= clock_timestamp() + interval '{period} s'"
        );
        (shown(session, name, &soon)? == "true").then_some(())
    });
}

fn after_a_step_back(session: &mut Client, cluster: &Cluster, clock: &Clock, by: i64) {
    goes_on(session, "second", 1);
    until_more(session, "second", 2);
    goes_on(session, "minute", MINUTE);
    if by == HOUR {
        // It has ticked for noon, which comes again.
        clock.set(cluster, NOON + 1);
        quiet(1);
        assert_eq!(at(session, "hour"), [NOON]);
        clock.set(cluster, NOON + HOUR);
        assert_eq!(seconds(session, "hour", 2), [NOON, NOON + HOUR]);
    } else {
        goes_on(session, "hour", HOUR);
        clock.set(cluster, NOON - by);
        assert_eq!(seconds(session, "hour", 2), [NOON, NOON - by]);
        goes_on(session, "day", 2 * DAY);
    }
}

#[test]
fn schedules_go_on_where_the_clock_was_set_back_by_an_hour_while_the_server_runs() {
    let (cluster, clock, name) = ticked_at_noon();
    clock.step(&cluster, -HOUR);
    after_a_step_back(&mut cluster.connect(&name), &cluster, &clock, HOUR);
}

#[test]
fn schedules_go_on_where_the_clock_was_set_back_by_a_day_while_the_server_runs() {
    let (cluster, clock, name) = ticked_at_noon();
    clock.step(&cluster, -DAY - HOUR / 2);
    after_a_step_back(&mut cluster.connect(&name), &cluster, &clock, DAY);
}

#[test]
fn schedules_go_on_where_the_clock_was_set_back_by_a_day_while_the_server_was_down() {
    let (cluster, clock, name) = ticked_at_noon();
    cluster.stop(Stop::Fast);
    clock.step_stopped(-DAY - HOUR / 2);
    cluster.begin();
    after_a_step_back(&mut cluster.connect(&name), &cluster, &clock, DAY);
}

#[test]
fn no_tick_comes_twice_where_the_clock_was_set_back_by_seconds_while_the_server_was_down() {
    let (cluster, clock) = cluster_at(NOON, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    each_second(&mut session, "s", ", overlap => true, catch_up => 'all'");
    for how in [Stop::Fast, Stop::Immediate] {
        until_more(&mut session, "s", 3);
        cluster.stop(how);
        clock.step_stopped(-6);
        cluster.begin();
        session = database.connect();
    }
    until_more(&mut session, "s", 3);
    let at = at(&mut session, "s");
    assert!(is_without_gap(&at), "{at:?}");
}

/// Schedules that were made, resumed or changed while the clock was a year ahead, and have not ticked since.
fn made_a_year_ahead(session: &mut Client) {
    run(session, "SELECT pgq.schedule('made', '0 * * * *')");
    run(session, "SELECT pgq.resume_schedule('resumed'), pgq.schedule('changed', '30 * * * *')");
}

#[test]
fn schedules_that_were_made_or_changed_while_the_clock_was_ahead_go_on_once_it_is_right() {
    let (cluster, clock) = cluster_at(NOON - 50, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    for name in ["resumed", "changed"] {
        schedule(&mut session, name, "0 * * * *", "");
    }
    clock.set(&cluster, NOON - 1);
    for name in ["resumed", "changed"] {
        seconds(&mut session, name, 1);
    }
    run(&mut session, "SELECT pgq.pause_schedule('resumed')");
    clock.set(&cluster, NOON + 365 * DAY + 10);
    made_a_year_ahead(&mut session);
    clock.set(&cluster, NOON + 10 * MINUTE);
    for name in ["made", "resumed", "changed"] {
        goes_on(&mut session, name, HOUR);
    }
    // Not at the hour itself: a tick that lies before the first look at the new clock is one that was missed.
    clock.set(&cluster, NOON + HOUR - 2);
    for name in ["made", "resumed", "changed"] {
        until(name, || (at(&mut session, name).last()? > &NOON).then_some(()));
    }
}

/// Lets the clock come past each of these minutes, counted from `start`, one after the other.
fn pass(cluster: &Cluster, clock: &Clock, session: &mut Client, start: i64, minutes: &[i64]) {
    for minute in minutes {
        clock.set(cluster, start + minute * MINUTE - 1);
        let past = "SELECT count(*) FROM pgq.schedules WHERE next_tick <= to_timestamp($1::bigint::float8)";
        until(&format!("minute {minute}"), || {
            (value::<i64>(session, past, &[&(start + minute * MINUTE)]) == 0).then_some(())
        });
    }
}

/// The ticks of a schedule in minutes, counted from `start`.
fn minutes(session: &mut Client, name: &str, start: i64) -> Vec<i64> {
    at(session, name).iter().map(|at| (at - start) / MINUTE).collect()
}

fn in_berlin(session: &mut Client) {
    for (name, cron) in [
        ("daily", "30 2 * * *"),
        ("at three", "0 3 * * *"),
        ("hourly", "0 * * * *"),
        ("half past", "30 * * * *"),
        ("each half hour", "*/30 * * * *"),
        ("at two and three", "0 2,3 * * *"),
    ] {
        schedule(session, name, cron, ", timezone => 'Europe/Berlin'");
    }
}

#[test]
fn in_spring_what_falls_into_the_gap_ticks_once_at_its_end_and_hours_keep_their_beat() {
    let (cluster, clock) = cluster_at(SPRING - 10 * MINUTE, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    in_berlin(&mut session);
    pass(&cluster, &clock, &mut session, SPRING, &[0, 30, 60, 90, 120]);
    // 60 is 3:00 in Berlin, the end of the gap.
    assert_eq!(minutes(&mut session, "daily", SPRING), [60]);
    assert_eq!(minutes(&mut session, "at three", SPRING), [60]);
    assert_eq!(minutes(&mut session, "at two and three", SPRING), [60]);
    assert_eq!(minutes(&mut session, "hourly", SPRING), [0, 60, 120]);
    assert_eq!(minutes(&mut session, "half past", SPRING), [30, 90]);
    assert_eq!(minutes(&mut session, "each half hour", SPRING), [0, 30, 60, 90, 120]);
    let next = shown(&mut session, "daily", "extract(epoch FROM next_tick)::bigint").unwrap();
    assert_eq!(next, (SPRING + DAY + 30 * MINUTE).to_string(), "2:30 of the next day is half past midnight in UTC");
}

#[test]
fn in_autumn_what_falls_into_the_overlap_ticks_the_first_time_and_hours_keep_their_beat() {
    let (cluster, clock) = cluster_at(AUTUMN - 10 * MINUTE, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    in_berlin(&mut session);
    pass(&cluster, &clock, &mut session, AUTUMN, &[0, 30, 60, 90, 120]);
    // 0 is 2:00 in Berlin, 60 is 2:00 again.
    assert_eq!(minutes(&mut session, "daily", AUTUMN), [30]);
    assert_eq!(minutes(&mut session, "at three", AUTUMN), [120]);
    assert_eq!(minutes(&mut session, "at two and three", AUTUMN), [0, 120]);
    assert_eq!(minutes(&mut session, "hourly", AUTUMN), [0, 60, 120]);
    assert_eq!(minutes(&mut session, "half past", AUTUMN), [30, 90]);
    assert_eq!(minutes(&mut session, "each half hour", AUTUMN), [0, 30, 60, 90, 120]);
    let next = shown(&mut session, "daily", "extract(epoch FROM next_tick)::bigint").unwrap();
    assert_eq!(next, (AUTUMN + DAY + 90 * MINUTE).to_string(), "2:30 of the next day is half past one in UTC");
}

#[test]
fn a_restart_within_the_overlap_repeats_nothing() {
    let (cluster, clock) = cluster_at(AUTUMN + 20 * MINUTE, &[]);
    let database = cluster.database();
    let mut session = database.connect();
    in_berlin(&mut session);
    pass(&cluster, &clock, &mut session, AUTUMN, &[30]);
    cluster.stop(Stop::Fast);
    // 2:29:58 in Berlin for the second time.
    clock.set_stopped(AUTUMN + 90 * MINUTE - 2);
    cluster.begin();
    let mut session = database.connect();
    until("half past two, again", || (minutes(&mut session, "half past", AUTUMN) == [30, 90]).then_some(()));
    assert_eq!(minutes(&mut session, "daily", AUTUMN), [30]);
    assert_eq!(minutes(&mut session, "at three", AUTUMN), [0; 0]);
}
