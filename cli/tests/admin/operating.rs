//! `docs/operating.md` is true: its blocks run, one after the other, in a server of their own; those that stop and empty a
//! queue do so. The chapter that needs two servers is run by `tests/e2e/tests/replication.rs`.

use crate::pgq::{Folder, fed, shell};
use pgqueuer_e2e::ask::{claims, complete, dequeue, enqueue, run, value};
use pgqueuer_e2e::cluster::{Cluster, Database, database};
use pgqueuer_e2e::until::until;
use std::path::Path;

/// The blocks of the page and what runs them, in their order.
fn blocks() -> Vec<(&'static str, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operating.md");
    let page = std::fs::read_to_string(file).unwrap();
    let (before, rest) = page.split_once("\n### Moving to another server\n").unwrap();
    let (_, after) = rest.split_once("\n## ").unwrap();
    let parts = [before, after].concat();
    let blocks = parts.split("\n```").skip(1).step_by(2).map(|block| {
        let (language, text) = block.split_once('\n').unwrap();
        let program = match language {
            "sql" => "psql -XAt -v ON_ERROR_STOP=1",
            "sh" => "bash -euo pipefail",
            other => panic!("nobody runs {other}: {text}"),
        };
        (program, text.to_owned())
    });
    blocks.collect()
}

/// The only block with such a line.
fn block_with(words: &str) -> (&'static str, String) {
    let mut found = blocks().into_iter().filter(|(_, text)| text.contains(words)).collect::<Vec<_>>();
    assert_eq!(found.len(), 1, "{words}");
    found.remove(0)
}

/// Runs a block, and returns what it says.
fn said((program, text): &(&str, String), database: &Database<'_>, folder: &Path) -> String {
    let mut shell = shell(database, program);
    shell.current_dir(folder);
    println!("{text}");
    fed(shell, text.as_bytes()).ok()
}

#[test]
fn every_block_of_the_page_runs() {
    let cluster = Cluster::start(&[]);
    let (database, folder) = (cluster.database(), Folder::new());
    let blocks = blocks();
    assert!(blocks.len() > 15, "the blocks were found: {}", blocks.len());
    blocks.iter().for_each(|block| {
        said(block, &database, folder.path());
    });
}

#[test]
fn what_is_stopped_hands_out_nothing_until_it_goes_on() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    let ids = enqueue(&mut session, "fetch", 3);
    enqueue(&mut session, "slow", 1);
    run(&mut session, "SELECT pgq.pause('slow')");
    let running = dequeue(&mut session, "fetch", 1);
    said(&block_with("CREATE TABLE stopped"), &database, folder.path());
    assert_eq!(dequeue(&mut session, "fetch", 9), [0; 0]);
    let drained = block_with("AS running");
    assert_eq!(said(&drained, &database, folder.path()), "1\n");
    assert!(said(&block_with("w.pid"), &database, folder.path()).starts_with(&format!("{}|fetch|", running[0])));
    assert_eq!(complete(&mut session, &running), running);
    assert_eq!(said(&drained, &database, folder.path()), "0\n");
    said(&block_with("DROP TABLE stopped"), &database, folder.path());
    assert_eq!(dequeue(&mut session, "fetch", 9), ids[1..]);
    assert_eq!(dequeue(&mut session, "slow", 9), [0; 0], "it was paused before");
}

#[test]
fn a_queue_that_was_filled_by_mistake_is_empty_afterwards_and_others_are_not() {
    let (database, folder) = (database(), Folder::new());
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('mail', max_attempts => 1)");
    enqueue(&mut session, "mail", 9);
    let others = enqueue(&mut session, "fetch", 2);
    let claimed = dequeue(&mut session, "mail", 4);
    run(&mut session, &format!("SELECT pgq.fail({})", claimed[0]));
    said(&block_with("pgq.clear('{mail}')"), &database, folder.path());
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job WHERE entrypoint = 'mail'", &[]), 0);
    assert_eq!(dequeue(&mut session, "fetch", 1), others[..1]);
    said(&block_with("TRUNCATE"), &database, folder.path());
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.job", &[]), 0);
    until("no claim is left", || (claims(&mut session) == 0).then_some(()));
}
