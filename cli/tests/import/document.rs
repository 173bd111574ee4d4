//! `docs/import.md` is true: its blocks run, one after the other, in a database that has an installation of the Python PgQueuer.

use crate::pgq::{Folder, ran, shell};
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::empty_database;
use serde_json::json;
use std::path::Path;

#[test]
fn every_block_of_the_page_runs() {
    let database = empty_database();
    let upstream = Upstream::install(&database);
    let ids = upstream
        .enqueue(&[json!({ "entrypoint": "mail", "payload_hex": "68656c6c6f" }), json!({ "entrypoint": "broken" })]);
    let worker = upstream.work(&["report=@hourly", "last=0 0 L * *"]);
    upstream
        .until("SELECT EXISTS (SELECT FROM pgqueuer WHERE status = 'failed') AND count(*) = 2 FROM pgqueuer_schedules");
    worker.kill();

    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/import.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (folder, mut blocks) = (Folder::new(), 0);
    for part in page.split("\n```").skip(1).step_by(2) {
        let (language, block) = part.split_once('\n').unwrap();
        if block.contains("uninstall") {
            it_worked(&upstream);
        }
        match language {
            "sh" => print!("{}", ran(shell(&database, block).current_dir(folder.path())).ok()),
            "sql" => run(&mut database.connect(), block),
            other => panic!("{other} is no language of this page"),
        }
        blocks += 1;
    }
    assert!(blocks > 6, "the blocks were found");
    assert_eq!(upstream.ids("pgqueuer"), ids, "the way back leads back");
    assert_eq!(upstream.ids("pgqueuer_schedules").len(), 2);
}

/// Before the way back.
fn it_worked(upstream: &Upstream) {
    let mut session = upstream.database.connect();
    assert!(upstream.ids("pgqueuer").is_empty() && upstream.ids("pgqueuer_schedules").len() == 1);
    assert_eq!(column::<String>(&mut session, "SELECT name FROM pgq.schedules", &[]), ["report"]);
    assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM pgq.jobs WHERE status = 'failed'", &[]), 1);
    let worked = "SELECT count(*) FROM pgq.job_log WHERE entrypoint = 'mail' AND outcome = 'successful'";
    assert_eq!(value::<i64>(&mut session, worked, &[]), 2, "what was imported and what was enqueued was worked off");
}
