//! `docs/import.md` is true: its blocks run, one after the other, in a database that has an installation of the Python PgQueuer.

use crate::pgq::{bare, ran};
use crate::upstream::Upstream;
use pgqueuer_e2e::ask::{column, run, value};
use pgqueuer_e2e::cluster::{Database, empty_database};
use serde_json::json;
use std::path::Path;
use std::process::Command;

#[test]
fn every_block_of_the_page_runs() {
    let database = empty_database();
    let upstream = Upstream::install(&database);
    upstream
        .enqueue(&[json!({ "entrypoint": "mail", "payload_hex": "68656c6c6f" }), json!({ "entrypoint": "broken" })]);
    let worker = upstream.work(&["report=@hourly", "last=0 0 L * *"]);
    upstream
        .until("SELECT EXISTS (SELECT FROM pgqueuer WHERE status = 'failed') AND count(*) = 2 FROM pgqueuer_schedules");
    worker.kill();

    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/import.md");
    let page = std::fs::read_to_string(page).unwrap();
    let mut blocks = 0;
    for part in page.split("\n```").skip(1).step_by(2) {
        let (language, block) = part.split_once('\n').unwrap();
        match language {
            "sh" => shell(&database, block),
            "sql" => run(&mut database.connect(), block),
            other => panic!("{other} is no language of this page"),
        }
        blocks += 1;
    }
    assert!(blocks > 5, "the blocks were found");
    let mut session = database.connect();
    assert_eq!(upstream.ids("pgqueuer").len(), 2, "they were kept");
    assert_eq!(column::<String>(&mut session, "SELECT name FROM pgq.schedules", &[]), ["report"]);
    let worked = "SELECT count(*) FROM pgq.job_log WHERE entrypoint = 'mail' AND outcome = 'successful'";
    assert_eq!(value::<i64>(&mut session, worked, &[]), 2, "what was imported and what was enqueued was worked off");
}

fn shell(database: &Database<'_>, block: &str) {
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", block]);
    for (name, value) in bare(&[]).get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    let folder = |program: &Path| program.parent().unwrap().display().to_string();
    let (pgq, psql) =
        (folder(Path::new(env!("CARGO_BIN_EXE_pgq"))), folder(Path::new(database.program("psql").get_program())));
    let path = std::env::var("PATH").unwrap_or_default();
    let (host, port) = database.host_and_port();
    shell.env("PATH", format!("{pgq}:{psql}:{path}")).env("PGQUEUER_DSN", database.address());
    shell
        .env("PGHOST", host)
        .env("PGPORT", port.to_string())
        .env("PGUSER", "postgres")
        .env("PGDATABASE", &database.name);
    print!("{}", ran(&mut shell).ok());
}
