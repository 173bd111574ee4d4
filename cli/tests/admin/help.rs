//! A beginner finds his way.

use crate::pgq::{Folder, bare, ran};

#[test]
fn without_a_command_the_commands_are_listed_under_headings() {
    let nothing = ran(&mut bare(&[]));
    assert_eq!(nothing.code, 2);
    let asked = ran(&mut bare(&["--help"])).ok();
    assert_eq!(nothing.out, asked);
    for part in ["Set up:\n  install ", "Jobs:\n  enqueue ", "Watch:\n  backlog ", "Exit codes: 0 done", "--dsn <DSN>"]
    {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    assert!(ran(&mut bare(&["--version"])).ok().starts_with("pgq "));
}

#[test]
fn a_mistyped_word_is_answered_with_the_nearest() {
    assert!(ran(&mut bare(&["jbos"])).ends(2).contains("similar"));
    assert!(ran(&mut bare(&["jobs", "--limt", "3"])).ends(2).contains("--limit"));
    assert!(ran(&mut bare(&["jobs", "--status", "faild"])).ends(2).contains("a similar value exists: 'failed'"));
}

#[test]
fn completions_and_manual_pages_need_no_server() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        assert!(ran(&mut bare(&["completions", shell])).ok().contains("pgq"), "{shell}");
    }
    let page = ran(&mut bare(&["man"])).ok();
    assert!(page.contains(".TH pgq 1") && page.contains("SUBCOMMANDS"), "{page}");
    let folder = Folder::new();
    ran(&mut bare(&["man", "--dir", folder.path().to_str().unwrap()])).ok();
    let names: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert!(names.len() > 25 && names.iter().any(|name| name == "pgq-jobs.1"), "{names:?}");
    assert!(ran(&mut bare(&["man", "--dir", "/nowhere"])).ends(1).contains("/nowhere"));
    assert!(ran(&mut bare(&["completions", "tcsh"])).ends(2).contains("possible values"));
}
