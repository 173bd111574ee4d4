//! `docs/operating.md` has a row for every check and every alert, and what it says of physical copies is so.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::{Cluster, database};
use pgqueuer_e2e::ticks::{beats, each_second_catching_up, until_more};
use pgqueuer_e2e::until::until;
use std::fs::read_to_string;
use std::path::Path;

fn page(name: &str) -> String {
    read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)).unwrap()
}

/// The words in backquotes that begin rows of tables.
fn has_row(page: &str, word: &str) -> bool {
    page.lines().any(|line| line.starts_with(&format!("| `{word}` |")))
}

#[test]
fn every_check_of_health_has_a_row() {
    let page = page("operating.md");
    let database = database();
    let checks: Vec<String> = column(&mut database.connect(), "SELECT \"check\" FROM pgq.health()", &[]);
    assert!(checks.len() > 15, "{checks:?}");
    // On some versions of PostgreSQL there are fewer.
    for check in checks.iter().map(String::as_str).chain(["idle_session_timeout"]) {
        assert!(has_row(&page, check), "docs/operating.md lacks {check}");
    }
}

#[test]
fn every_alert_has_a_row() {
    let (page, alerts) = (page("operating.md"), page("prometheus/alerts.yml"));
    let names: Vec<&str> = alerts.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(names.len() > 10, "{names:?}");
    names.iter().for_each(|name| assert!(has_row(&page, name), "docs/operating.md lacks {name}"));
}

#[test]
fn a_physical_copy_ticks_unless_it_is_told_that_it_is_one() {
    let original = Cluster::start(&[]);
    let mut session = original.connect("postgres");
    run(&mut session, "CREATE EXTENSION pgqueuer");
    each_second_catching_up(&mut session, "beat", "all");
    let block = page("operating.md");
    let block = block.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next());
    let block = block.filter(|block| block.contains("UPDATE pgq.installation")).collect::<String>();
    for is_told in [false, true] {
        let copy = Cluster::standby_of(&original);
        let mut other = copy.connect("postgres");
        if is_told {
            run(&mut other, "ALTER SYSTEM SET pgqueuer.enabled = off");
            run(&mut other, "SELECT pg_reload_conf()");
        }
        run(&mut other, "SELECT pg_promote()");
        if is_told {
            block.split_inclusive(';').map(str::trim).for_each(|statement| run(&mut other, statement));
            until("it is at work", || {
                value::<bool>(&mut other, "SELECT current_setting('pgqueuer.enabled')::bool", &[]).then_some(())
            });
            let before = beats(&mut other, "beat").len();
            until_more(&mut session, "beat", 3);
            assert!(!value::<bool>(&mut other, "SELECT pgq.is_armed()", &[]));
            assert_eq!(beats(&mut other, "beat").len(), before);
            assert!(value::<bool>(&mut other, "SELECT pgq.arm()", &[]));
        }
        until_more(&mut other, "beat", 2);
    }
}
