//! Several applications share a database: each sees its own names, without its prefix.

use crate::pgq::{command, fed, pgq, ran};
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::database;
use serde_json::json;

#[test]
fn a_prefix_goes_before_names_and_is_not_shown() {
    let database = database();
    pgq(&database, &["enqueue", "mail", "of another"]).ok();
    let shop = |args: &[&str]| pgq(&database, &[&["--prefix", "shop/"], args].concat());
    shop(&["enqueue", "mail", "x"]).ok();
    let mut named = command(&database, &["enqueue", "--from", "-"]);
    named.env("PGQUEUER_PREFIX", "shop/");
    fed(named, b"{\"entrypoint\":\"bulk\"}\n").ok();
    shop(&["schedules", "add", "report", "@daily"]).ok();
    shop(&["configure", "mail", "--max-attempts", "1"]).ok();
    shop(&["pause", "bulk"]).ok();
    run(&mut database.connect(), "SELECT pgq.fail(id, 'no') FROM pgq.dequeue('{shop/mail}')");

    let mut session = database.connect();
    let names: Vec<String> = column(&mut session, "SELECT DISTINCT entrypoint FROM pgq.jobs ORDER BY 1", &[]);
    assert_eq!(names, ["mail", "shop/bulk", "shop/mail"]);
    for list in [vec!["jobs"], vec!["failed"], vec!["configure"], vec!["schedules"], vec!["backlog"], vec!["log"]] {
        let rows = shop(&[list[0], "--json"]).json();
        let rows = rows.as_array().unwrap();
        assert!(
            !rows.is_empty()
                && rows.iter().all(|row| ["mail", "bulk", "report"].contains(&row["entrypoint"].as_str().unwrap())),
            "{list:?} {rows:?}"
        );
        assert!(!rows.iter().any(|row| row["id"] == 1), "what belongs to another is not shown: {rows:?}");
    }
    assert_eq!(shop(&["jobs", "mail", "--json"]).json()[0]["id"], 2);
    assert_eq!(shop(&["job", "2", "--json"]).json()["entrypoint"], "mail");
    assert_eq!(shop(&["job", "1", "--json"]).json()["entrypoint"], "mail", "a job of another has its whole name");
    assert_eq!(shop(&["schedules", "run", "report"]).ok(), "job 4 is queued\n");
    let report: String = value(&mut session, "SELECT entrypoint FROM pgq.jobs WHERE id = 4", &[]);
    assert_eq!(report, "shop/report");

    // All is all of this application.
    assert_eq!(shop(&["clear", "--yes", "--json"]).json(), json!({ "deleted": 2 }));
    assert_eq!(pgq(&database, &["--prefix", "bank/", "clear", "--yes"]).ok(), "0 jobs deleted\n");
    assert_eq!(pgq(&database, &["--prefix", "bank/", "requeue", "--all"]).ok(), "0 jobs requeued\n");
    assert_eq!(shop(&["requeue", "--all"]).ok(), "1 job requeued\n");
    assert_eq!(ran(&mut command(&database, &["jobs", "--json"])).json().as_array().unwrap().len(), 2);
}
