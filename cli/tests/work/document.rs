//! `docs/work.md` is true: its blocks run, one after the other, in a fresh database; and its tables have every variable and
//! every option.

use crate::pgq::{Folder, bare, ran, shell};
use pgqueuer_e2e::cluster::database;
use std::path::Path;

fn page() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/work.md");
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn every_block_of_the_page_runs() {
    let database = database();
    let folder = Folder::new();
    let page = page();
    let blocks: Vec<&str> = page.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(blocks.len() > 5, "the blocks were found");
    for block in blocks {
        println!("{block}");
        ran(shell(&database, block).current_dir(folder.path())).ok();
    }
}

#[test]
fn the_page_has_every_option_and_variable() {
    let page = page();
    let help = ran(&mut bare(&["work", "--help"])).ok();
    let help = help.split("Options of every command").next().unwrap();
    let options: Vec<&str> = help.split_whitespace().filter(|word| word.starts_with("--") && word.len() > 2).collect();
    assert!(options.len() > 12);
    for option in options {
        let name = option.trim_end_matches(|char: char| !char.is_ascii_lowercase());
        assert!(["--help", "--json"].contains(&name) || page.contains(&format!("`{name}")), "{name}");
    }
    let source = ["environment.rs", "http/mod.rs"].map(|name| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cmd/work").join(name);
        std::fs::read_to_string(file).unwrap().split("#[cfg(test)]").next().unwrap().to_owned()
    });
    let source = source.concat();
    let variables = source.split('"').filter(|text| text.starts_with("PGQ_") && text.len() > 4);
    for variable in variables {
        assert!(page.contains(&format!("`{variable}")), "{variable}");
    }
    let headers = source.split('"').filter(|text| text.starts_with("pgq-")).collect::<Vec<_>>();
    assert!(headers.len() > 6);
    let lower = page.to_ascii_lowercase();
    headers.iter().for_each(|header| assert!(lower.contains(&format!("`{header}")), "{header}"));
}
