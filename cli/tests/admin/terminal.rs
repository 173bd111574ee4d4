//! On a terminal: tables as wide as it is, questions, and a bar for long work.

use crate::pgq::{Folder, Ran, bare, pgq};
use pgqueuer_e2e::ask::run;
use pgqueuer_e2e::cluster::{Database, database};
use std::process::Command;

/// Runs the command as somebody who sits at a terminal of that width and types `answer`.
fn at_terminal(database: &Database, width: u16, answer: &str, args: &str) -> Ran {
    let pgq = env!("CARGO_BIN_EXE_pgq");
    let script = format!("stty cols {width} rows 50 -echo; {pgq} {args}");
    let mut script_command = Command::new("script");
    script_command.args(["-qec", &script, "/dev/null"]);
    for (name, value) in bare(&[]).get_envs() {
        if let Some(value) = value {
            script_command.env(name, value);
        }
    }
    script_command.env("PGQUEUER_DSN", database.address()).env("TERM", "xterm");
    crate::pgq::fed(script_command, answer.as_bytes())
}

fn columns(line: &str) -> usize {
    line.trim_end_matches('\r').chars().count()
}

#[test]
fn a_table_is_as_wide_as_the_terminal_and_whole_in_a_file() {
    let database = database();
    let long = "x".repeat(70);
    run(&mut database.connect(), &format!("SELECT pgq.enqueue('{long}', '{long}', dedupe_key => '{long}')"));
    for width in [80, 120] {
        let seen = at_terminal(&database, width, "", "jobs");
        let table: Vec<&str> = seen.out.lines().filter(|line| !line.starts_with("Not enough room")).collect();
        assert!(table.len() == 2 && table.iter().all(|line| columns(line) <= usize::from(width)), "{seen:?}");
        assert!(table[1].contains('…') && table[1].contains("queued"), "{seen:?}");
        assert!(columns(table[1]) > usize::from(width) - 10, "what room there is, is used: {seen:?}");
    }
    let narrow = at_terminal(&database, 40, "", "jobs").out;
    assert!(narrow.contains("Not enough room for: ") && narrow.contains("--json has them"), "{narrow}");
    let file = pgq(&database, &["jobs"]).ok();
    assert!(file.matches(&long).count() == 2 && !file.contains("x…"), "{file}");
}

#[test]
fn a_question_is_asked_and_its_answer_counts() {
    let database = database();
    run(&mut database.connect(), "SELECT pgq.enqueue('a')");
    let no = at_terminal(&database, 80, "n\n", "clear");
    assert!(
        no.code == 2
            && no.out.contains("Remove all queued jobs of all entrypoints? [y/N]")
            && no.out.contains("nothing was changed"),
        "{no:?}"
    );
    let yes = at_terminal(&database, 80, "y\n", "clear");
    assert!(yes.code == 0 && yes.out.contains("1 job deleted"), "{yes:?}");
    let no = at_terminal(&database, 80, "\n", "uninstall");
    assert!(no.code == 2 && no.out.contains("Remove the queue with all its jobs"), "{no:?}");
    assert_eq!(pgq(&database, &["verify"]).code, 0);
}

#[test]
fn a_long_file_has_a_bar() {
    let database = database();
    let folder = Folder::new();
    let file = folder.file("jobs.jsonl", "{\"entrypoint\":\"a\"}\n".repeat(20_000));
    let seen = at_terminal(&database, 80, "", &format!("enqueue --from {file}"));
    assert!(seen.code == 0 && seen.out.contains('%') && seen.out.contains("20,000 jobs queued"), "{seen:?}");
}
