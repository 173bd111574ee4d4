//! Entrypoints are paused, resumed and configured.

use crate::pgq::pgq;
use pgqueuer_e2e::ask::{dequeue, enqueue};
use pgqueuer_e2e::cluster::database;
use serde_json::json;

#[test]
fn nothing_of_a_paused_entrypoint_is_handed_out() {
    let database = database();
    let mut session = database.connect();
    enqueue(&mut session, "a", 1);
    assert_eq!(pgq(&database, &["pause", "a", "b"]).ok(), "a is paused\nb is paused\n");
    assert_eq!(pgq(&database, &["pause", "a"]).ok(), "a was paused already\n");
    assert_eq!(dequeue(&mut session, "a", 1), Vec::<i64>::new());
    assert!(pgq(&database, &["backlog"]).ok().contains("paused: pgq resume"));
    assert_eq!(pgq(&database, &["resume", "a", "c", "--json"]).json(), json!({ "a": true, "c": false }));
    assert_eq!(pgq(&database, &["resume", "a"]).ok(), "a was not paused\n");
    assert_eq!(dequeue(&mut session, "a", 1), [1]);
    for wrong in ["pause", "resume"] {
        assert!(pgq(&database, &[wrong]).ends(2).contains("<ENTRYPOINT>"));
        assert!(pgq(&database, &[wrong, ""]).ends(1).contains("entrypoint"));
    }
}

#[test]
fn settings_are_shown_where_nothing_is_given_and_changed_where_something_is() {
    let database = database();
    assert!(pgq(&database, &["configure"]).ok().contains("all have the defaults"));
    assert!(pgq(&database, &["configure", "mail"]).ok().contains("it has the defaults"));
    let changed = pgq(
        &database,
        &[
            "configure",
            "mail",
            "--concurrency-limit",
            "10",
            "--max-attempts",
            "3",
            "--backoff-initial",
            "2 s",
            "--backoff-max",
            "PT1H",
            "--backoff-multiplier",
            "1.5",
            "--on-failure",
            "delete",
            "--max-releases",
            "4",
            "--rate-limit",
            "100",
            "--rate-period",
            "1 min",
            "--json",
        ],
    );
    let expected = json!({
        "entrypoint": "mail", "paused": false, "concurrency_limit": 10, "max_attempts": 3, "backoff_initial_seconds": 2.0,
        "backoff_max_seconds": 3600.0, "backoff_multiplier": 1.5, "on_failure": "delete", "max_releases": 4, "rate_limit": 100,
        "rate_period_seconds": 60.0,
    });
    assert_eq!(changed.json(), expected);
    let text = pgq(&database, &["configure", "mail", "--max-attempts", "1"]).ok();
    assert!(text.contains("max_attempts        1\n") && text.contains("backoff_max         1 h\n"), "{text}");
    assert_eq!(pgq(&database, &["configure", "--json"]).json()[0]["max_attempts"], 1);
    let refused = pgq(&database, &["configure", "mail", "--max-attempts", "0"]).ends(1);
    assert!(refused.contains("max_attempts must be at least 1") && refused.contains("hint: Allowed"), "{refused}");
    assert!(pgq(&database, &["configure", "--max-attempts", "3"]).ends(2).contains("<ENTRYPOINT>"));
    assert!(
        pgq(&database, &["configure", "mail", "--on-failure", "cry"])
            .ends(2)
            .contains("[possible values: hold, delete]")
    );
    assert!(pgq(&database, &["configure", "mail", "--rate-period", "x"]).ends(2).contains("--rate-period <LENGTH>"));
}
