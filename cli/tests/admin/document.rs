//! `docs/cli.md` and others are true: their blocks run, one after the other, in a fresh database.

use crate::pgq::{Folder, bare, ran, shell};
use pgqueuer_e2e::cluster::{Database, database, empty_database};
use std::path::Path;

fn page(name: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name);
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn every_block_of_the_page_runs() {
    assert!(run_blocks(&page("cli.md"), &empty_database()) > 10, "the blocks were found");
}

#[test]
fn every_block_of_the_page_of_top_runs() {
    assert!(run_blocks(&page("top.md"), &database()) > 1, "the blocks were found");
}

#[test]
fn every_block_of_the_readme_s_part_runs() {
    let readme = page("../README.md");
    let part = readme.split("## The command `pgq`").nth(1).unwrap().split("\n## ").next().unwrap();
    assert_eq!(run_blocks(part, &database()), 1, "the block was found");
}

/// Runs the blocks one after the other, and returns how many there are.
fn run_blocks(page: &str, database: &Database<'_>) -> usize {
    let folder = Folder::new();
    let blocks: Vec<&str> = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    for block in &blocks {
        println!("{block}");
        ran(shell(database, block).current_dir(folder.path())).ok();
    }
    blocks.len()
}

#[test]
fn the_page_has_every_command() {
    let page = page("cli.md");
    let help = ran(&mut bare(&["--help"])).ok();
    let commands = help
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
    let names: Vec<&str> = commands.filter_map(|line| line.split_whitespace().next()).collect();
    assert!(names.len() > 25);
    for name in names {
        // Those that run on have pages of their own.
        assert!(
            ["work", "top", "web", "metrics", "mcp", "help"].contains(&name) || page.contains(&format!("pgq {name}")),
            "{name}"
        );
    }
}
