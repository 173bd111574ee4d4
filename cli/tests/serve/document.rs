//! `docs/metrics.md` and `docs/mcp.md` tell all there is.

use crate::assistant::Assistant;
use crate::pgq::{Folder, bare, command, pgq, ran, shell};
use pgqueuer_e2e::cluster::database;
use serde_json::Value;
use std::path::Path;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)).unwrap()
}

/// The blocks of a page that are written in a language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let begin = format!("```{language}\n");
    page.split(begin.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

#[test]
fn every_metric_that_pgq_adds_is_told() {
    let database = database();
    pgq(&database, &["schedules", "add", "report", "@daily"]).ok();
    let page = read("metrics.md");
    let printed = pgq(&database, &["metrics"]).ok();
    for name in printed.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    assert!(page.contains("pgqueuer_schedule_last_tick_timestamp_seconds"));
    for file in
        ["grafana/pgqueuer.json", "prometheus/alerts.yml", "prometheus/alerts_test.yml", "prometheus/prometheus.yml"]
    {
        assert!(page.contains(&format!("]({file})")), "{file}");
    }
}

#[test]
fn every_tool_and_option_is_told() {
    let database = database();
    let page = read("mcp.md");
    for tool in Assistant::start(&database, &["--allow-changes"]).tools() {
        assert!(page.contains(&format!("`{}", tool["name"].as_str().unwrap())), "{}", tool["name"]);
    }
    for (name, page) in [("mcp", &page), ("metrics", &read("metrics.md"))] {
        let help = ran(&mut bare(&[name, "--help"])).ok();
        let own = help.split("Options of every command").next().unwrap();
        let options = own.lines().filter_map(|line| line.trim().strip_prefix("--")?.split([' ', '[']).next());
        for option in options.filter(|option| *option != "help") {
            assert!(page.contains(&format!("--{option}")), "{name} {option}");
        }
    }
}

#[test]
fn the_configurations_of_assistants_can_be_read_and_start_it() {
    let page = read("mcp.md");
    let database = database();
    let configurations = blocks(&page, "json");
    assert!(configurations.len() > 1);
    for block in configurations {
        let configuration: Value = serde_json::from_str(block).unwrap_or_else(|error| panic!("{error}: {block}"));
        let servers = configuration.get("mcpServers").or(configuration.get("servers")).unwrap().as_object().unwrap();
        for server in servers.values() {
            assert_eq!(server["command"], "pgq");
            let args: Vec<&str> = server["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
            let mut assistant = Assistant::of(command(&database, &args));
            assert_eq!(assistant.end().0, Some(0), "{block}");
        }
    }
}

#[test]
fn the_commands_of_the_pages_run() {
    let database = database();
    let folder = Folder::new();
    std::os::unix::fs::symlink(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs"), folder.path().join("docs"))
        .unwrap();
    let pages = read("metrics.md") + &read("mcp.md");
    // One goes on until it is told to end; the tests of it are elsewhere.
    let blocks: Vec<&str> = blocks(&pages, "sh").into_iter().filter(|block| !block.contains("--listen")).collect();
    assert_eq!(blocks.len(), 3);
    let mut said = String::new();
    for block in blocks {
        println!("{block}");
        said += &ran(shell(&database, block).current_dir(folder.path())).ok();
    }
    assert!(said.contains("\"structuredContent\":{\"rows\":[]"), "{said}");
    let written = std::fs::read_to_string(folder.path().join("pgqueuer.prom")).unwrap();
    assert!(written.contains(&format!("pgqueuer_up{{database=\"{}\"}} 1\n", database.name)), "{written}");
}
