//! A database that was restored or copied fires no schedule until somebody says so; the original goes on.

#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, Stop, database, empty_database};
use pgqueuer_e2e::ticks::{each_second, is_without_gap, seconds, server_now, shown, ticks, until_more};
use pgqueuer_e2e::until::until;
use postgres::{Client, Config, NoTls};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// Schedules of all kinds, one of which ticks every second, and one that is paused.
fn fill(session: &mut Client) {
    each_second(session, "beat", ", overlap => true, catch_up => 'all'");
    run(
        session,
        r#"SELECT pgq.schedule('it''s "quoted" \ Ü', '30 6 1,15 jan-jun mon-fri 59', E'tab\t', E'line\n\\N', 'Europe/Berlin',
                               -5, '{"a": [1, null]}', 'skip', true, 'key');
           SELECT pgq.schedule('bytes', '@daily', payload_bytes => '\x00ff5c', catch_up => 'one');
           SELECT pgq.schedule('gone', '@daily'), pgq.unschedule('gone');
           SELECT pgq.schedule('paused', '* * * * * *', overlap => true, catch_up => 'all');
           SELECT pgq.pause_schedule('paused')"#,
    );
    seconds(session, "beat", 2);
}

fn is_armed(session: &mut Client) -> bool {
    value(session, "SELECT pgq.is_armed()", &[])
}

fn arm(session: &mut Client) -> bool {
    value(session, "SELECT pgq.arm()", &[])
}

/// Nothing ticks there while another database's schedule ticks twice.
fn is_silent(copy: &mut Client, control: &mut Client) {
    let next =
        "SELECT array_agg(concat_ws('|', name, next_tick, last_tick, last_job) ORDER BY name) FROM pgq.schedules";
    let (jobs, rows): (i64, Vec<String>) = (all_jobs(copy), value(copy, next, &[]));
    until_more(control, "beat", 2);
    assert_eq!(all_jobs(copy), jobs);
    assert_eq!(value::<Vec<String>>(copy, next, &[]), rows);
}

fn all_jobs(session: &mut Client) -> i64 {
    value(session, "SELECT last_value FROM pgq.job_id_seq", &[])
}

/// A session, and what it is warned of.
fn warned(database: &Database) -> (Client, Arc<Mutex<Vec<String>>>) {
    let warnings = Arc::new(Mutex::new(vec![]));
    let kept = Arc::clone(&warnings);
    let mut config: Config = database.address().parse().unwrap();
    config.notice_callback(move |notice| {
        kept.lock().unwrap().push(format!(
            "{}: {} {}",
            notice.severity(),
            notice.message(),
            notice.hint().unwrap_or("")
        ));
    });
    (config.connect(NoTls).unwrap(), warnings)
}

fn warns_at_the_first_claim(database: &Database) {
    for call in [
        "SELECT count(*) FROM pgq.dequeue('{nothing}')",
        "SELECT count(*) FROM pgq.dequeue('{nothing}', 5, '00000000-0000-0000-0000-000000000007')",
    ] {
        let (mut session, warnings) = warned(database);
        run(&mut session, "SELECT pgq.enqueue('something')");
        assert_eq!(*warnings.lock().unwrap(), [""; 0]);
        run(&mut session, call);
        let said = warnings.lock().unwrap().clone();
        assert!(said.len() == 1 && said[0].starts_with("WARNING") && said[0].contains("pgq.arm()"), "{said:?}");
        run(&mut session, call);
        assert_eq!(warnings.lock().unwrap().len(), 1, "once a session");
    }
}

/// What must hold of every copy, whose original is `control`.
fn a_copy_ticks_from_its_arming_on(copy: &Database, control: &mut Client) {
    let mut session = copy.connect();
    assert!(!is_armed(&mut session));
    is_silent(&mut session, control);
    warns_at_the_first_claim(copy);
    // What is made or changed there does not tick either.
    each_second(&mut session, "made there", ", overlap => true");
    each_second(&mut session, "beat", ", overlap => true, catch_up => 'all'");
    run(&mut session, "SELECT pgq.resume_schedule('paused'), pgq.pause_schedule('paused')");
    is_silent(&mut session, control);
    run(&mut session, "BEGIN");
    assert!(arm(&mut session));
    run(&mut session, "ROLLBACK");
    assert!(!is_armed(&mut session));
    is_silent(&mut session, control);
    let before = ticks(&mut session, "beat").len();
    let armed = server_now(&mut session);
    assert!(arm(&mut session));
    assert!(is_armed(&mut session) && !arm(&mut session));
    for (name, before) in [("beat", before), ("made there", 0)] {
        until_more(&mut session, name, 3);
        let at = &seconds(&mut session, name, 1)[before..];
        assert!(at[0] > armed && at[0] <= armed + 2 && is_without_gap(at), "{name}, armed at {armed}: {at:?}");
    }
    assert_eq!(ticks(&mut session, "paused").len(), 0);
    assert_eq!(shown(&mut session, "paused", "ROW(enabled, next_tick)").unwrap(), "(f,)");
    let (mut session, warnings) = warned(copy);
    run(&mut session, "SELECT * FROM pgq.dequeue('{nothing}')");
    assert_eq!(*warnings.lock().unwrap(), [""; 0]);
    // The original has not noticed.
    assert!(is_armed(control));
    until_more(control, "beat", 2);
    let at = seconds(control, "beat", 1);
    assert!(is_without_gap(&at), "{at:?}");
}

fn filled(database: &Database) -> Client {
    let mut session = database.connect();
    fill(&mut session);
    session
}

#[test]
fn create_extension_arms() {
    let database = empty_database();
    let mut session = database.connect();
    for _ in 0..2 {
        run(&mut session, "CREATE EXTENSION pgqueuer");
        assert!(is_armed(&mut session) && !arm(&mut session));
        each_second(&mut session, "s", ", overlap => true");
        seconds(&mut session, "s", 2);
        run(&mut session, "DROP EXTENSION pgqueuer");
    }
}

#[test]
fn a_copy_of_the_files_ticks_from_its_arming_on() {
    let cluster = Cluster::start(&[]);
    let original = cluster.database();
    drop(filled(&original));
    let copy = cluster.copy_of(&original.name);
    a_copy_ticks_from_its_arming_on(&copy, &mut original.connect());
    // And a copy of the copy.
    let second = cluster.copy_of(&copy.name);
    let mut session = second.connect();
    assert!(!is_armed(&mut session));
    is_silent(&mut session, &mut original.connect());
    assert!(is_armed(&mut copy.connect()));
}

#[test]
fn a_copy_that_is_armed_before_its_background_worker_has_looked_stays_armed() {
    let cluster = Cluster::start(&[]);
    let original = cluster.database();
    run(&mut original.connect(), "SELECT pgq.schedule('rare', '@yearly')");
    for round in 0..12 {
        let copy = cluster.copy_of(&original.name);
        let mut session = copy.connect();
        assert!(arm(&mut session));
        each_second(&mut session, "s", "");
        until(&format!("copy {round} ticks (it is armed: {})", is_armed(&mut session)), || {
            ticks(&mut session, "s").pop()
        });
        assert!(is_armed(&mut session));
    }
}

#[test]
fn a_copy_of_what_was_never_armed_is_not_armed_either() {
    let cluster = Cluster::start(&[]);
    let original = cluster.database();
    drop(filled(&original));
    let copy = cluster.copy_of(&original.name);
    assert!(!is_armed(&mut copy.connect()));
    let second = cluster.copy_of(&copy.name);
    assert!(!is_armed(&mut second.connect()));
    assert!(arm(&mut second.connect()));
    until_more(&mut second.connect(), "beat", 2);
    assert!(!is_armed(&mut copy.connect()));
}

#[test]
fn a_database_of_another_name_is_the_same() {
    let cluster = Cluster::start(&[]);
    let database = cluster.database();
    drop(filled(&database));
    run(&mut cluster.connect("postgres"), &format!("ALTER DATABASE {} RENAME TO renamed", database.name));
    let mut session = cluster.connect("renamed");
    assert!(is_armed(&mut session));
    until_more(&mut session, "beat", 3);
    let at = seconds(&mut session, "beat", 1);
    assert!(is_without_gap(&at), "{at:?}");
}

fn pipe(from: &mut Command, to: &mut Command) {
    let mut from = from.stdout(Stdio::piped()).spawn().unwrap();
    let output = to.stdin(from.stdout.take().unwrap()).output().unwrap();
    assert!(from.wait().unwrap().success());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn through_pg_restore(from: &Database, to: &Database) {
    pipe(from.program("pg_dump").arg("-Fc"), to.program("pg_restore").args(["--exit-on-error", "-d", &to.name]));
}

fn through_psql(from: &Database, to: &Database) {
    pipe(&mut from.program("pg_dump"), to.program("psql").args(["-XqAt", "-v", "ON_ERROR_STOP=1"]));
}

/// By four processes at once, each in transactions of its own: the background worker looks in between.
fn through_parallel_pg_restore(from: &Database, to: &Database) {
    let folder = std::env::temp_dir().join(format!("pgqueuer-arm-{}-{}", std::process::id(), to.name));
    let dumped = from.program("pg_dump").args(["-Fd", "-f"]).arg(&folder).status().unwrap();
    let restored = to.program("pg_restore").args(["--exit-on-error", "-j", "4", "-d", &to.name]).arg(&folder).status();
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(dumped.success() && restored.unwrap().success());
}

/// Every schedule with every column but the installation, and the sequence of their ids.
fn contents(session: &mut Client) -> Vec<String> {
    let sql = "SELECT (to_jsonb(s) - 'installation')::text FROM pgq.schedules AS s
               UNION ALL SELECT to_jsonb(q)::text FROM (SELECT last_value, is_called FROM pgq.schedule_id_seq) AS q ORDER BY 1";
    column(session, sql, &[])
}

fn keeps_every_column(by: fn(&Database, &Database)) {
    let cluster = Cluster::start(&[]);
    let (from, to) = (cluster.database(), cluster.empty_database());
    let mut source = filled(&from);
    // It stands still while it is dumped and compared.
    run(&mut source, "SELECT pgq.schedule('beat', '@yearly')");
    let there = contents(&mut source);
    assert_eq!(there.len(), 5);
    by(&from, &to);
    let mut target = to.connect();
    assert_eq!(contents(&mut target), there);
    let next = "SELECT pgq.schedule('next', '@daily')";
    assert_eq!(value::<i64>(&mut source, next, &[]), value::<i64>(&mut target, next, &[]));
}

#[test]
fn a_dump_in_custom_format_keeps_every_column() {
    keeps_every_column(through_pg_restore);
}

#[test]
fn a_plain_dump_keeps_every_column() {
    keeps_every_column(through_psql);
}

#[test]
fn a_restored_dump_in_the_same_server_ticks_from_its_arming_on() {
    let (from, to) = (database(), empty_database());
    let mut source = filled(&from);
    through_pg_restore(&from, &to);
    a_copy_ticks_from_its_arming_on(&to, &mut source);
}

#[test]
fn a_restored_dump_in_another_server_ticks_from_its_arming_on() {
    let (from, other) = (database(), Cluster::start(&[]));
    let to = other.empty_database();
    let mut source = filled(&from);
    through_psql(&from, &to);
    a_copy_ticks_from_its_arming_on(&to, &mut source);
}

#[test]
fn nothing_ticks_in_the_middle_of_a_parallel_restore() {
    let (from, to) = (database(), empty_database());
    let mut source = filled(&from);
    // Some weight, so that it takes a while.
    run(&mut source, "SELECT count(pgq.schedule('s ' || i, '* * * * * *', 'load')) FROM generate_series(1, 2000) AS i");
    run(&mut source, "SELECT count(pgq.enqueue('load', repeat('x', 500))) FROM generate_series(1, 20000)");
    through_parallel_pg_restore(&from, &to);
    let mut target = to.connect();
    let made_there = "SELECT count(*) FROM pgq.jobs AS j WHERE headers ? 'schedule' AND created > (SELECT max(created) FROM pgq.jobs WHERE NOT coalesce(headers ? 'schedule', false))";
    let brought: i64 = value(&mut target, made_there, &[]);
    is_silent(&mut target, &mut source);
    assert_eq!(value::<i64>(&mut target, made_there, &[]), brought);
    let behind = "SELECT count(*) FROM pgq.schedules WHERE name LIKE 's %' AND next_tick < now()";
    assert_eq!(value::<i64>(&mut target, behind, &[]), 2000);
    assert!(!is_armed(&mut target) && arm(&mut target));
    until("all of them tick", || (value::<i64>(&mut target, behind, &[]) < 2000).then_some(()));
}

#[test]
fn schedules_that_are_brought_into_a_database_that_ticks_stop_it_until_it_is_armed_again() {
    let (from, to) = (database(), database());
    let mut source = filled(&from);
    let mut target = to.connect();
    // It has had one of its own.
    run(&mut target, "SELECT pgq.schedule('own', '@yearly'); SELECT pgq.unschedule('own')");
    pipe(from.program("pg_dump").arg("-a"), to.program("psql").args(["-XqAt", "-v", "ON_ERROR_STOP=1"]));
    assert!(!is_armed(&mut target));
    is_silent(&mut target, &mut source);
    assert!(arm(&mut target));
    until_more(&mut target, "beat", 2);
}

#[test]
fn a_restore_over_the_database_that_was_dumped_is_armed_by_hand() {
    let (control, database) = (database(), database());
    let mut session = filled(&database);
    let mut other = control.connect();
    each_second(&mut other, "beat", ", overlap => true");
    let folder = std::env::temp_dir().join(format!("pgqueuer-over-{}", std::process::id()));
    assert!(database.program("pg_dump").args(["-Fc", "-f"]).arg(&folder).status().unwrap().success());
    run(&mut session, "DROP EXTENSION pgqueuer");
    let restored = database
        .program("pg_restore")
        .args(["--exit-on-error", "--clean", "--if-exists", "-d", &database.name])
        .arg(&folder)
        .status();
    std::fs::remove_file(&folder).unwrap();
    assert!(restored.unwrap().success());
    assert!(!is_armed(&mut session));
    is_silent(&mut session, &mut other);
    assert!(arm(&mut session));
    until_more(&mut session, "beat", 2);
}

#[test]
fn a_standby_that_was_promoted_goes_on_ticking() {
    let primary = Cluster::start(&[]);
    let database = primary.database();
    drop(filled(&database));
    let standby = Cluster::standby_of(&primary);
    until_more(&mut database.connect(), "beat", 2);
    let mut session = standby.connect(&database.name);
    primary.stop(Stop::Fast);
    assert!(value::<bool>(&mut session, "SELECT pg_is_in_recovery()", &[]));
    run(&mut session, "SELECT pg_promote()");
    assert!(is_armed(&mut session));
    until_more(&mut session, "beat", 3);
    let at = seconds(&mut session, "beat", 1);
    assert!(is_without_gap(&at), "all are made up for, none comes twice: {at:?}");
}

#[test]
fn arming_needs_no_preloaded_library() {
    let cluster = Cluster::start(&[("shared_preload_libraries", "")]);
    let original = cluster.database();
    run(&mut original.connect(), "SELECT pgq.is_armed() OR pgq.arm(), pgq.schedule('s', '* * * * * *')");
    let mut session = cluster.copy_of(&original.name).connect();
    assert!(!is_armed(&mut session));
    assert!(arm(&mut session));
    assert!(is_armed(&mut session) && !arm(&mut session));
    assert!(is_armed(&mut original.connect()));
}

#[test]
fn a_copy_in_which_there_was_no_schedule_ticks_with_its_first_one() {
    let cluster = Cluster::start(&[]);
    for _ in 0..3 {
        let copy = cluster.database();
        let (mut session, warnings) = warned(&copy);
        run(&mut session, "SELECT * FROM pgq.dequeue('{nothing}')");
        assert_eq!(*warnings.lock().unwrap(), [""; 0]);
        each_second(&mut session, "s", ", overlap => true");
        assert!(is_armed(&mut session) && !arm(&mut session));
        let at = seconds(&mut session, "s", 2);
        assert!(is_without_gap(&at), "{at:?}");
        // From here on there is one, and a copy of this is a copy.
        drop(session);
        assert!(!is_armed(&mut cluster.copy_of(&copy.name).connect()));
    }
}
