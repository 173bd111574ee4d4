//! Schedules are made, listed, paused, run and removed.

use crate::pgq::pgq;
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;
use serde_json::json;

#[test]
fn a_schedule_is_made_listed_and_removed() {
    let database = database();
    assert_eq!(pgq(&database, &["schedules"]).ok(), "No schedules.\n");
    let added = pgq(
        &database,
        &[
            "schedules",
            "add",
            "report",
            "30 6 * * mon-fri",
            "--timezone",
            "Europe/Berlin",
            "--entrypoint",
            "mail",
            "--json-payload",
            "[1]",
            "--priority",
            "3",
            "--header",
            "a=b",
            "--ordering-key",
            "o",
            "--catch-up",
            "all",
            "--overlap",
        ],
    );
    assert!(added.ok().starts_with("report ticks next at "));
    let list = pgq(&database, &["schedules", "list", "--json"]).json();
    let expected = json!({
        "name": "report", "cron": "30 6 * * mon-fri", "timezone": "Europe/Berlin", "entrypoint": "mail", "enabled": true,
        "payload_start": "[1]", "priority": 3, "catch_up": "all", "overlap": true, "ordering_key": "o", "headers": { "a": "b" },
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&list[0][name], value, "{name}");
    }
    assert!(pgq(&database, &["schedules"]).ok().contains("Europe/Berlin"));
    assert_eq!(pgq(&database, &["schedules", "pause", "report"]).ok(), "report is paused\n");
    assert_eq!(pgq(&database, &["schedules", "--json"]).json()[0]["enabled"], false);
    assert!(pgq(&database, &["schedules", "pause", "report"]).ends(1).contains("or it is paused already"));
    assert_eq!(
        pgq(&database, &["schedules", "resume", "report", "--json"]).json(),
        json!({ "resumed": ["report"], "left_out": [] })
    );
    let removed = pgq(&database, &["schedules", "remove", "report", "nix"]);
    assert_eq!((removed.code, removed.out.as_str()), (1, "report is removed\n"));
    assert!(removed.err.contains("nix: there is no such schedule"));
}

#[test]
fn a_schedule_is_run_now_with_what_its_ticks_carry() {
    let database = database();
    pgq(&database, &["schedules", "add", "report", "@yearly", "--payload", "x", "--header", "a=b", "--priority", "4"])
        .ok();
    assert_eq!(pgq(&database, &["schedules", "run", "report", "--json"]).json(), json!({ "id": 1 }));
    let job = pgq(&database, &["job", "1", "--json"]).json();
    assert_eq!((&job["entrypoint"], &job["payload"], &job["priority"]), (&json!("report"), &json!("x"), &json!(4)));
    assert_eq!((&job["headers"]["schedule"], &job["headers"]["a"]), (&json!("report"), &json!("b")));
    assert!(job["headers"]["scheduled_at"].is_string());
    assert!(pgq(&database, &["schedules", "run", "nix"]).ends(1).contains("no schedule nix"));
}

#[test]
fn a_schedule_that_was_added_ticks() {
    let database = database();
    pgq(&database, &["schedules", "add", "beat", "* * * * * *"]).ok();
    until("it ticks", || {
        (!pgq(&database, &["jobs", "beat", "--json"]).json().as_array().unwrap().is_empty()).then_some(())
    });
}

#[test]
fn the_next_ticks_of_an_expression_are_told() {
    let database = database();
    let next = |args: &[&str]| pgq(&database, &[&["schedules", "next"], args].concat());
    let ticks = next(&["0 9 1 jan *", "-n", "3", "--json"]).json();
    assert_eq!(ticks.as_array().unwrap().len(), 3);
    assert!(
        ticks[0]["tick"].as_str().unwrap().contains("-01-01T09:00:00") && ticks[0]["in_seconds"].is_number(),
        "{ticks}"
    );
    assert!(next(&["0 9 1 jan *", "-n", "1", "--timezone", "Asia/Tokyo"]).ok().contains("-01-01 00:00:00"));
    let wrong = next(&["61 * * * *"]).ends(1);
    assert!(wrong.contains("detail: minute") && wrong.contains("hint: Five fields"), "{wrong}");
    assert!(next(&["@daily", "--timezone", "Mars/Base"]).ends(1).contains("Mars/Base"));
    assert!(next(&["@daily", "-n", "0"]).ends(2).contains("--limit"));
    assert_eq!(next(&["0 0 30 feb *"]).ok(), "It does not tick before the year 2100.\n");
}

#[test]
fn what_is_wrong_with_a_schedule_is_told() {
    let database = database();
    let wrong: [(&[&str], i32, &str); 4] = [
        (&["x", "* * * *"], 1, "cron"),
        (&["x", "@daily", "--timezone", "Nowhere"], 1, "Nowhere"),
        (&["x", "@daily", "--json-payload", "{"], 2, "--json-payload"),
        (&["x"], 2, "<CRON>"),
    ];
    for (args, code, says) in wrong {
        let error = pgq(&database, &[&["schedules", "add"], args].concat()).ends(code);
        assert!(error.contains(says), "{args:?}: {error}");
    }
    // What stands in a schedule's way is in the list.
    pgq(&database, &["schedules", "add", "report", "@daily"]).ok();
    run(&mut database.connect(), "UPDATE pgq.schedules SET note = 'in the way'");
    assert!(pgq(&database, &["schedules"]).ok().contains("in the way"));
}
