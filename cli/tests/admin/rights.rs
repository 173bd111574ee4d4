//! Who lacks a right is told which; who has it can do what it is for.

use crate::pgq::{Ran, command, pgq, ran};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::{Database, database};

fn as_role(database: &Database, role: &str, args: &[&str]) -> Ran {
    ran(command(database, args)
        .env("PGQUEUER_DSN", format!("{} user={role}", database.address().replace("user=postgres", ""))))
}

#[test]
fn each_kind_of_role_can_do_what_it_is_for_and_no_more() {
    let database = database();
    let roles = ["p", "w", "m", "a"].map(|kind| format!("{kind}_{}", database.name));
    let [producer, worker, monitor, admin] = &roles;
    for (kind, role) in [("producer", producer), ("worker", worker), ("monitor", monitor), ("admin", admin)] {
        run(&mut database.connect(), &format!("CREATE ROLE {role} LOGIN"));
        assert!(pgq(&database, &["grant", kind, role]).ok().contains(&format!("is {kind} now")));
    }
    pgq(&database, &["enqueue", "fetch", "secret of another"]).ok();

    as_role(&database, producer, &["enqueue", "fetch", "own"]).ok();
    for looks in [
        vec!["jobs"],
        vec!["failed"],
        vec!["log"],
        vec!["backlog"],
        vec!["workers"],
        vec!["schedules"],
        vec!["configure"],
        vec!["job", "1"],
    ] {
        for role in [producer, worker] {
            let refused = as_role(&database, role, &looks).ends(1);
            assert!(
                refused.contains("permission denied") && refused.contains("hint: Ask an administrator"),
                "{looks:?} {refused}"
            );
        }
        as_role(&database, monitor, &looks).ok();
        as_role(&database, admin, &looks).ok();
    }
    let changes = [
        vec!["pause", "fetch"],
        vec!["resume", "fetch"],
        vec!["configure", "fetch", "--max-attempts", "3"],
        vec!["schedules", "add", "report", "@daily"],
        vec!["schedules", "run", "report"],
        vec!["cancel", "1"],
        vec!["clear", "--yes"],
        vec!["grant", "monitor", producer.as_str()],
    ];
    for change in changes {
        for role in [producer, worker, monitor] {
            assert!(as_role(&database, role, &change).ends(1).contains("permission denied"), "{change:?}");
        }
        as_role(&database, admin, &change).ok();
    }
    // Only a superuser makes and removes an extension.
    assert!(as_role(&database, admin, &["uninstall", "--yes"]).ends(1).contains("must be owner of extension"));

    pgq(&database, &["revoke", producer]).ok();
    assert!(as_role(&database, producer, &["enqueue", "fetch"]).ends(1).contains("permission denied"));
    for role in &roles {
        pgq(&database, &["revoke", role]).ok();
        run(&mut database.connect(), &format!("DROP ROLE {role}"));
    }
    assert!(pgq(&database, &["grant", "monitor", "nobody"]).ends(1).contains("role nobody does not exist"));
    assert!(
        pgq(&database, &["grant", "king", "nobody"])
            .ends(2)
            .contains("[possible values: producer, worker, monitor, admin]")
    );
}

#[test]
fn a_monitor_sees_the_same_lists_as_the_owner() {
    let database = database();
    let monitor = format!("m_{}", database.name);
    run(&mut database.connect(), &format!("CREATE ROLE {monitor} LOGIN"));
    pgq(&database, &["grant", "monitor", &monitor]).ok();
    for (name, priority) in [("b", "0"), ("a", "3"), ("a", "-1"), ("b", "7")] {
        pgq(&database, &["enqueue", name, "--priority", priority, "--header", "k=v"]).ok();
    }
    pgq(&database, &["enqueue", "later", "--delay", "1 h"]).ok();
    let mut session = database.connect();
    run(
        &mut session,
        "SELECT pgq.configure('f', max_attempts => 1); SELECT pgq.enqueue('f', 'x') FROM generate_series(1, 3)",
    );
    run(&mut session, "SELECT pgq.fail(id, 'no') FROM pgq.dequeue('{f}', 2); SELECT id FROM pgq.dequeue('{a}')");
    let lists = [
        vec!["jobs", "--json"],
        vec!["jobs", "--status", "failed", "--json"],
        vec!["jobs", "--status", "picked", "--json"],
        vec!["jobs", "--status", "queued", "--status", "picked", "-n", "2", "--json"],
        vec!["jobs", "f", "a", "--status", "queued", "--json"],
        vec!["jobs", "--prefix", "l", "--json"],
        vec!["failed", "--json"],
        vec!["failed", "a", "--json"],
        vec!["failed", "f", "-n", "1", "--json"],
    ];
    for list in lists {
        let own = pgq(&database, &list).json();
        assert_eq!(as_role(&database, &monitor, &list).json(), own, "{list:?}");
    }
    drop(session);
    pgq(&database, &["revoke", &monitor]).ok();
    run(&mut database.connect(), &format!("DROP ROLE {monitor}"));
}
