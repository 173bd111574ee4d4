//! Many schedules, and some that cannot be fired: none holds up the others.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::{Database, database};
use pgqueuer_e2e::ticks::{AT_ONCE, each_second, is_without_gap, seconds, server_now, shown, ticks, until_more};
use pgqueuer_e2e::until::{until, until_within};
use postgres::Client;
use std::time::Duration;

/// So many schedules `<prefix> 1`, `<prefix> 2`, …, which all tick in the same second of each minute, a few seconds from
/// now. Returns that second.
fn crowd(session: &mut Client, prefix: &str, count: i32) -> i64 {
    let make = format!(
        "SELECT count(pgq.schedule('{prefix} ' || i, '@yearly', '{prefix}')) FROM generate_series(1, {count}) AS i"
    );
    assert_eq!(value::<i64>(session, &make, &[]), i64::from(count));
    let at = server_now(session) + 3;
    let set = format!(
        "UPDATE pgq.schedules SET cron = '* * * * * {}', next_tick = to_timestamp({at}) WHERE name LIKE '{prefix} %'",
        at % 60
    );
    run(session, &set);
    assert!(server_now(session) < at, "it was written in time");
    at
}

/// How long after a second the jobs of an entrypoint came, all of which are there: the first and the last, microseconds.
fn span(session: &mut Client, entrypoint: &str, count: i64, at: i64) -> (i64, i64) {
    let counted = "SELECT count(*) FROM pgq.jobs WHERE entrypoint = $1";
    until_within(Duration::from_secs(30), "all have ticked", || {
        (value::<i64>(session, counted, &[&entrypoint]) >= count).then_some(())
    });
    let distinct = "SELECT count(DISTINCT headers->>'schedule') FROM pgq.jobs WHERE entrypoint = $1";
    assert_eq!(value::<i64>(session, distinct, &[&entrypoint]), count);
    assert_eq!(value::<i64>(session, counted, &[&entrypoint]), count, "none twice");
    let late = "SELECT ((extract(epoch FROM created) - $2::bigint) * 1e6)::bigint FROM pgq.jobs WHERE entrypoint = $1 ORDER BY 1";
    let late: Vec<i64> = column(session, late, &[&entrypoint, &at]);
    (late[0], late[late.len() - 1])
}

#[test]
fn ten_thousand_schedules_of_one_second_are_all_enqueued_soon_after_it() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    let at = crowd(&mut session, "crowd", 10_000);
    let (first, last) = span(&mut session, "crowd", 10_000, at);
    // A job says when its slice was begun. Here all are committed.
    let seen = server_now(&mut other) - at;
    println!("10,000 jobs: {first} to {last} µs after their tick, all seen within {} s", seen + 1);
    assert!(first >= 0 && last < 5_000_000, "{first} {last}");
    let next = "SELECT count(*) FROM pgq.schedules WHERE next_tick = to_timestamp($1::bigint::float8 + 60) AND last_tick = to_timestamp($1::bigint::float8)
                  AND note IS NULL AND last_job IN (SELECT id FROM pgq.jobs)";
    assert_eq!(value::<i64>(&mut session, next, &[&at]), 10_000);
}

#[test]
fn a_schedule_that_somebody_has_locked_does_not_hold_up_the_others_and_ticks_when_it_is_free() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    for name in ["locked", "control"] {
        each_second(&mut session, name, ", overlap => true");
    }
    until_more(&mut session, "locked", 1);
    run(&mut other, "BEGIN; SELECT FROM pgq.schedules WHERE name = 'locked' FOR UPDATE");
    let before = ticks(&mut session, "locked").len();
    until_more(&mut session, "control", 4);
    assert!(ticks(&mut session, "control").iter().all(|tick| tick.late < AT_ONCE));
    assert_eq!(ticks(&mut session, "locked").len(), before);
    run(&mut other, "COMMIT");
    until_more(&mut session, "locked", 6);
    let at = seconds(&mut session, "locked", 1);
    assert!(is_without_gap(&at), "what it owed came late, but came: {at:?}");
}

#[test]
fn while_somebody_has_locked_the_table_nothing_else_waits() {
    let database = database();
    let (mut session, mut other) = (database.connect(), database.connect());
    each_second(&mut session, "s", ", overlap => true");
    until_more(&mut session, "s", 1);
    run(&mut other, "BEGIN; LOCK TABLE pgq.schedules");
    let named = "SELECT count(*) FROM pgq.dequeue('{s}', 1, '00000000-0000-0000-0000-000000000007', '1 s')";
    assert_eq!(value::<i64>(&mut session, named, &[]), 1);
    until_within(Duration::from_secs(4), "a lease that ran out is seen", || {
        let released = "SELECT count(*) FROM pgq.job_log WHERE outcome = 'released'";
        (value::<i64>(&mut session, released, &[]) == 1).then_some(())
    });
    run(&mut other, "COMMIT");
    until_more(&mut session, "s", 3);
    let at = seconds(&mut session, "s", 1);
    assert!(is_without_gap(&at), "{at:?}");
}

/// From here on no job of an entrypoint can be inserted.
fn forbid(session: &mut Client, entrypoint: &str) {
    let sql = format!(
        "CREATE FUNCTION forbid() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'not this one'; END$$;
         CREATE TRIGGER forbid BEFORE INSERT ON pgq.job FOR EACH ROW WHEN (NEW.entrypoint = '{entrypoint}') EXECUTE FUNCTION forbid()"
    );
    run(session, &sql);
}

#[test]
fn a_schedule_whose_jobs_cannot_be_inserted_does_not_hold_up_the_others() {
    let database = database();
    let mut session = database.connect();
    forbid(&mut session, "forbidden");
    for name in ["a", "forbidden", "z"] {
        each_second(&mut session, name, ", overlap => true");
    }
    for name in ["a", "z"] {
        let at = seconds(&mut session, name, 5);
        assert!(is_without_gap(&at), "{name}: {at:?}");
        assert!(ticks(&mut session, name).iter().all(|tick| tick.late < AT_ONCE), "{:?}", ticks(&mut session, name));
    }
    assert_eq!(ticks(&mut session, "forbidden"), []);
}

#[test]
fn a_schedule_whose_jobs_cannot_be_inserted_says_so() {
    let database = database();
    let mut session = database.connect();
    forbid(&mut session, "forbidden");
    each_second(&mut session, "forbidden", "");
    let note = until("the note says why it does not run", || shown(&mut session, "forbidden", "note"));
    assert!(note.contains("not this one"), "{note}");
}

#[test]
fn a_schedule_whose_jobs_could_not_be_inserted_ticks_as_soon_as_it_is_changed_to_one_whose_jobs_can() {
    let database = database();
    let mut session = database.connect();
    forbid(&mut session, "forbidden");
    for name in ["s", "control"] {
        each_second(&mut session, name, ", 'forbidden'");
    }
    each_second(&mut session, "control", ", 'fine', overlap => true");
    until_more(&mut session, "control", 3);
    each_second(&mut session, "s", ", 'fine', overlap => true");
    seconds(&mut session, "s", 2);
}

#[test]
fn many_that_cannot_be_fired_among_many_that_can_do_not_make_these_late() {
    let database = database();
    let mut session = database.connect();
    forbid(&mut session, "forbidden");
    let at = crowd(&mut session, "fine", 1000);
    // Every 25th.
    run(&mut session, "UPDATE pgq.schedules SET entrypoint = 'forbidden' WHERE id % 25 = 0");
    let (first, last) = span(&mut session, "fine", 960, at);
    println!("960 of 1000 jobs: {first} to {last} µs after their tick, where 40 cannot be inserted");
    assert!(last < 10_000_000, "{last}");
}

/// Writes into a schedule's row by hand what no function would.
fn unreadable(database: &Database, change: &str) {
    let mut session = database.connect();
    for name in ["broken", "control"] {
        each_second(&mut session, name, ", overlap => true");
    }
    until_more(&mut session, "broken", 1);
    run(&mut session, &format!("UPDATE pgq.schedules SET {change} WHERE name = 'broken'"));
    let note = until("the note says why", || shown(&mut session, "broken", "note"));
    assert!(note.contains("cannot be read"), "{note}");
    let count = ticks(&mut session, "broken").len();
    assert_eq!(shown(&mut session, "broken", "next_tick"), None);
    until_more(&mut session, "control", 3);
    let at = seconds(&mut session, "control", 1);
    assert!(is_without_gap(&at), "{at:?}");
    assert_eq!(ticks(&mut session, "broken").len(), count);
    each_second(&mut session, "broken", ", overlap => true");
    until_more(&mut session, "broken", 2);
    assert_eq!(shown(&mut session, "broken", "note"), None);
    run(&mut session, "SELECT pgq.unschedule('broken'), pgq.unschedule('control')");
}

#[test]
fn what_cannot_be_read_in_a_row_stops_that_schedule_alone_until_it_is_made_anew() {
    let database = database();
    unreadable(&database, "cron = 'whenever'");
    unreadable(&database, "cron = ''");
    unreadable(&database, "timezone = 'Europe/Bonn'");
}

#[test]
fn times_written_by_hand_stop_nothing() {
    let database = database();
    let mut session = database.connect();
    each_second(&mut session, "control", ", overlap => true");
    run(&mut session, "INSERT INTO pgq.schedules (id, name, cron, entrypoint, next_tick, installation, catch_up)
        SELECT nextval('pgq.schedule_id_seq'), v.name, v.cron, v.name, v.next_tick, s.installation, v.catch_up
          FROM pgq.schedules AS s, (VALUES ('past', '* * * * * *', '-infinity'::timestamptz, 'all'), ('never', '* * * * * *', 'infinity', 'all'),
               ('old', '@daily', '0044-03-15 BC', 'one'), ('word', '* * * * * *', now(), 'whatever')) AS v(name, cron, next_tick, catch_up)");
    until_more(&mut session, "control", 3);
    for name in ["past", "word"] {
        assert!(!ticks(&mut session, name).is_empty(), "{name}");
        let behind =
            shown(&mut session, name, "next_tick > now() - interval '1 s' AND next_tick < now() + interval '2 s'");
        assert_eq!(behind.unwrap(), "true", "{name}");
    }
    assert_eq!(ticks(&mut session, "old").len(), 1);
    assert_eq!(ticks(&mut session, "never"), []);
    assert_eq!(ticks(&mut session, "past").len(), 1000);
    assert_eq!(shown(&mut session, "never", "next_tick").unwrap(), "infinity");
    let at = seconds(&mut session, "control", 1);
    assert!(is_without_gap(&at), "{at:?}");
}

#[test]
fn a_row_that_is_written_by_hand_is_heard_of_wherever_that_is_done() {
    let database = database();
    let mut session = database.connect();
    let faster = "UPDATE pgq.schedules SET cron = '* * * * * *', next_tick = now()";
    for by_hand in [
        faster.to_owned(),
        format!("DO $$BEGIN {faster}; END$$"),
        format!("CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ {faster} $$; SELECT f()"),
        format!("SET session_replication_role = replica; {faster}; RESET session_replication_role"),
    ] {
        run(&mut session, "SELECT pgq.schedule('s', '@yearly', overlap => true)");
        until("the scheduler has looked", || (workers_asleep(&mut session) == 1).then_some(()));
        run(&mut session, &by_hand);
        let before = ticks(&mut session, "s").len();
        until(&by_hand, || (ticks(&mut session, "s").len() > before + 1).then_some(()));
    }
}

fn workers_asleep(session: &mut Client) -> i64 {
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                  AND backend_type = 'pgqueuer worker' AND wait_event_type = 'Extension'";
    value(session, sleeps, &[])
}
