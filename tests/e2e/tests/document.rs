//! The documents are true: their SQL runs, their commands and links exist, their numbers are those of the server.

#![allow(clippy::unwrap_used, reason = "what a test calls may end it with a panic")]

use pgqueuer_e2e::ask::value;
use pgqueuer_e2e::cluster::{database, empty_database};
use std::collections::BTreeSet;
use std::fs::{read_dir, read_to_string};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn documents() -> Vec<PathBuf> {
    let markdown = |folder: &str| {
        let entries = read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
        entries.filter(|path| path.extension().is_some_and(|kind| kind == "md")).collect::<Vec<_>>()
    };
    ["", "docs", "docs/adr", "tests", "bench", "docker"].into_iter().flat_map(markdown).collect()
}

/// The fenced blocks of a language, in their order.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let fence = format!("```{language}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

#[test]
fn the_five_minutes_of_the_readme_do_what_they_say() {
    let database = empty_database();
    let script = blocks(&read_to_string(root().join("README.md")).unwrap(), "sql").join("\n");
    let mut psql = database.program("psql");
    psql.args(["-X", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-f", "-"]);
    let mut psql = psql.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    psql.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = psql.wait_with_output().unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}{wrong}");
    let claimed_best_first = "2|{\"url\": \"https://example.org\"}\n1|hello world\n";
    assert!(said.contains(claimed_best_first), "{said}");
    assert!(said.contains("1|successful|0||"), "job 1 was completed: {said}");
    assert!(said.contains("2|queued|1|\"connection refused\"|"), "job 2 failed and is tried again: {said}");
    assert!(said.contains("ledger|0|queued|2\nledger|0|picked|1"), "one of three of a key is free: {said}");
}

#[test]
fn every_make_command_of_the_documents_exists() {
    for document in documents() {
        for block in blocks(&read_to_string(&document).unwrap(), "sh") {
            for command in block.lines().filter(|line| line.starts_with("make ")) {
                let words = command.split('#').next().unwrap().split_whitespace().skip(1);
                let tried = Command::new("make").arg("-n").args(words).current_dir(root()).output().unwrap();
                assert!(tried.status.success(), "{}: {command}", document.display());
            }
        }
    }
}

#[test]
fn every_link_and_every_named_file_of_the_documents_exists() {
    let folders = ["src/", "core/", "sql/", "tests/", "docs/", "bench/", "examples/", "docker/", ".ci/"];
    for document in documents() {
        let text = read_to_string(&document).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for link in links.filter(|link| !link.is_empty() && !link.contains("://")) {
            assert!(document.parent().unwrap().join(link).exists(), "{}: {link}", document.display());
        }
        let quoted = text.split('`').skip(1).step_by(2).filter(|word| !word.contains([' ', '…', '{', '*', '\n']));
        for file in quoted.filter(|word| folders.iter().any(|folder| word.starts_with(folder))) {
            assert!(root().join(file).exists(), "{}: {file}", document.display());
        }
    }
}

#[test]
fn the_page_of_settings_says_what_the_server_has() {
    let database = database();
    let mut session = database.connect();
    let rows = "SELECT array_agg(format('| `%s` |%s', name, CASE vartype
                    WHEN 'integer' THEN format(' %s, %s to %s | %s |', coalesce(unit, regexp_replace(name, '.*_', '')), min_val, max_val, boot_val)
                    WHEN 'bool' THEN format(' on, off | %s |', boot_val)
                    WHEN 'string' THEN format(' names, separated by commas; `*` | %s |', boot_val)
                    ELSE format(' `%s` | %s |', array_to_string(enumvals, '`, `'), boot_val) END) ORDER BY name)
                FROM pg_settings WHERE name LIKE 'pgqueuer.%'";
    let rows: Vec<String> = value(&mut session, rows, &[]);
    let page = read_to_string(root().join("docs/settings.md")).unwrap();
    let documented = page.lines().filter(|line| line.starts_with("| `pgqueuer.")).count();
    assert_eq!(documented, rows.len());
    for row in rows {
        assert!(page.lines().any(|line| line.starts_with(&row)), "docs/settings.md has no line that begins {row}");
    }
}

#[test]
fn the_sheet_of_errors_has_every_error_that_is_raised() {
    let code = |name: &str| match name {
        "ERRCODE_INVALID_PARAMETER_VALUE" => "22023",
        "ERRCODE_UNIQUE_VIOLATION" => "23505",
        "ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE" => "55000",
        "ERRCODE_FEATURE_NOT_SUPPORTED" => "0A000",
        "ERRCODE_UNDEFINED_TABLE" => "42P01",
        "ERRCODE_ACTIVE_SQL_TRANSACTION" => "25001",
        "ERRCODE_CONFIGURATION_LIMIT_EXCEEDED" => "53400",
        "ERRCODE_INTERNAL_ERROR" => "XX000",
        other => panic!("{other} is new: name its SQLSTATE here and in docs/errors.md"),
    };
    let source = read_to_string(root().join("src/error.rs")).unwrap();
    let names =
        source.split("Code::").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_uppercase() && c != '_').next());
    let raised: BTreeSet<&str> = names.flatten().filter(|name| !name.is_empty()).map(code).collect();
    let sheet = read_to_string(root().join("docs/errors.md")).unwrap();
    assert!(raised.len() >= 5, "the errors were found in the source");
    for sqlstate in raised {
        assert!(sheet.contains(&format!("| {sqlstate} |")), "docs/errors.md lacks {sqlstate}");
    }
}
