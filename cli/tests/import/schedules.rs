//! Schedules: no tick comes twice, none is lost.

use crate::pgq::pgq;
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::database;
use serde_json::json;

#[test]
fn schedules_go_on_where_they_were() {
    let database = database();
    let upstream = Upstream::install(&database);
    let worker = upstream.work(&["report=@hourly", "report=30 6 * * mon-fri", "often=* * * * * */3"]);
    upstream.until("SELECT count(*) = 3 AND max(last_run) IS NOT NULL FROM pgqueuer_schedules");
    worker.kill();
    upstream.later("pgqueuer_schedules");
    let mut session = database.connect();
    // As after an outage of a day.
    run(
        &mut session,
        "UPDATE pgqueuer_schedules SET next_run = next_run - interval '1 day' WHERE expression = '0 * * * *'",
    );
    let old = "SELECT format('%s|%s|%s', expression, entrypoint, last_run) FROM pgqueuer_schedules ORDER BY expression";
    let old: Vec<String> = column(&mut session, old, &[]);
    let next: String =
        value(&mut session, "SELECT next_run::text FROM pgqueuer_schedules WHERE expression LIKE '30%'", &[]);

    let plan = pgq(&database, &["import", "--dry-run", "--json"]).json();
    let becomes = |row: &serde_json::Value| {
        format!("{}: {}", row["schedule"].as_str().unwrap(), row["becomes"].as_str().unwrap())
    };
    let plan: Vec<String> = plan["schedules"].as_array().unwrap().iter().map(becomes).collect();
    // The third has come due again, or not.
    assert_eq!(plan[1..], ["report (0 * * * *): ticks, first at once", "report (30 6 * * mon-fri): ticks"]);
    assert!(pgq(&database, &["import", "--paused"]).ok().ends_with("0 jobs and 3 schedules moved\n"));
    assert!(upstream.ids("pgqueuer_schedules").is_empty());

    // Before the scheduler looks the last tick that has passed is the next one; afterwards it is the last one.
    let new = "SELECT format('%s|%s|%s', cron, entrypoint, last_tick) FROM pgq.schedules WHERE cron LIKE '30%'";
    assert!(old.contains(&value(&mut session, new, &[])));
    assert_eq!(
        value::<String>(&mut session, "SELECT next_tick::text FROM pgq.schedules WHERE cron LIKE '30%'", &[]),
        next
    );
    upstream.until("SELECT bool_and(next_tick > now()) FROM pgq.schedules WHERE cron LIKE '0%'");
    let hourly = "SELECT array_agg((headers->>'scheduled_at')::timestamptz = date_trunc('hour', created))
                    FROM pgq.jobs WHERE headers->>'schedule' LIKE 'report%'";
    assert_eq!(
        value::<Vec<bool>>(&mut session, hourly, &[]),
        [true],
        "one job for the ticks of a day, that of the last"
    );
}

#[test]
fn one_that_was_begun_and_not_ended_comes_again() {
    let database = database();
    let upstream = Upstream::install(&database);
    let worker = upstream.work(&["stuck=0 0 1 1 *"]);
    upstream.until("SELECT count(*) = 1 FROM pgqueuer_schedules");
    worker.kill();
    // A worker that sleeps until the next tick would not see that it has come.
    let mut session = database.connect();
    run(&mut session, "UPDATE pgqueuer_schedules SET next_run = now() - interval '1 second'");
    let worker = upstream.work(&["stuck=0 0 1 1 *"]);
    upstream.until("SELECT status = 'picked' FROM pgqueuer_schedules");
    let refused = pgq(&database, &["import"]);
    let says = "the schedule of \"stuck\" at \"0 0 1 1 *\" is run by a worker that was heard of lately";
    assert!(refused.code == 1 && refused.err.contains(says), "{}", refused.err);
    worker.kill();
    upstream.later("pgqueuer_schedules");
    pgq(&database, &["import"]).ok();
    upstream.until("SELECT count(*) = 1 FROM pgq.jobs WHERE entrypoint = 'stuck'");
    let ticks = "SELECT next_tick > now() AND last_tick <= now() FROM pgq.schedules";
    assert!(value::<bool>(&mut session, ticks, &[]));
}

#[test]
fn an_expression_that_is_not_understood_here_is_named_and_can_be_left() {
    let database = database();
    let upstream = Upstream::install(&database);
    let worker = upstream.work(&["last=0 0 L * *", "fine=@daily"]);
    upstream.until("SELECT count(*) = 2 FROM pgqueuer_schedules");
    worker.kill();
    for args in [vec!["import"], vec!["import", "--dry-run"]] {
        let refused = pgq(&database, &args);
        assert_eq!(refused.code, 1);
        assert!(
            refused.err.contains("the schedule of \"last\" at \"0 0 l * *\" is not to be moved: "),
            "{}",
            refused.err
        );
        assert!(refused.out.ends_with("nothing was changed\n"), "{}", refused.out);
    }
    let report = pgq(&database, &["import", "--leave-refused", "--json"]).json();
    let rows: Vec<_> =
        report["schedules"].as_array().unwrap().iter().map(|row| (&row["schedule"], &row["becomes"])).collect();
    assert_eq!(rows[0], (&json!("fine"), &json!("ticks")));
    assert!(rows[1].1.as_str().unwrap().starts_with("left: day of month"), "{:?}", rows[1]);
    assert_eq!(upstream.ids("pgqueuer_schedules").len(), 1);
    let names = "SELECT name FROM pgq.schedules";
    assert_eq!(column::<String>(&mut database.connect(), names, &[]), ["fine"]);
}

#[test]
fn a_name_that_is_taken_stops_the_import() {
    let database = database();
    let upstream = Upstream::install(&database);
    let worker = upstream.work(&["report=@daily"]);
    upstream.until("SELECT count(*) = 1 FROM pgqueuer_schedules");
    worker.kill();
    pgq(&database, &["schedules", "add", "report", "@weekly"]).ok();
    let refused = pgq(&database, &["import"]);
    assert!(refused.code == 1 && refused.err.contains("there is one of that name"), "{}", refused.err);
    assert!(pgq(&database, &["import", "--on-conflict", "skip"]).ok().contains("0 jobs and 0 schedules moved"));
    assert_eq!(column::<String>(&mut database.connect(), "SELECT cron FROM pgq.schedules", &[]), ["@weekly"]);
}
