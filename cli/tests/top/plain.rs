//! Without a terminal: tables, or JSON.

use crate::pgq::{Running, command, pgq};
use crate::shop::shop;
use crate::terminal::{ORDINARY, Terminal, top};
use std::io::{BufRead, BufReader};
use std::process::Stdio;

#[test]
fn without_a_terminal_tables_are_printed_once() {
    let shop = shop();
    let table = pgq(&shop.database, &["top"]).ok();
    for text in ["in the last full minute", "Entrypoints\n", "In flight\n", "Failed\n", "Workers\n", "Schedules\n"] {
        assert!(table.contains(text), "{text}:\n{table}");
    }
    for row in ["mail.send", "503 Service Unavailable", "7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11", "30 6 1 * *"] {
        assert!(table.contains(row), "{row}:\n{table}");
    }
    assert!(!table.contains('\x1b'));
    assert_eq!(pgq(&shop.database, &["dashboard", "--once"]).ok().lines().count(), table.lines().count());
}

#[test]
fn once_prints_tables_on_a_terminal_too() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &["--once"]), ORDINARY);
    assert_eq!(terminal.ended(), 0);
    terminal.shows("newsletter");
    assert!(!terminal.bytes().contains("\x1b[?1049h"));
}

#[test]
fn programs_get_one_object() {
    let shop = shop();
    let object = pgq(&shop.database, &["top", "--json"]).json();
    assert_eq!(object["total"]["due"], 77);
    assert_eq!(object["total"]["in_flight"], 12);
    assert_eq!((object["failed"].as_array().unwrap().len(), object["in_flight"].as_array().unwrap().len()), (9, 12));
    let minutes = object["throughput"].as_array().unwrap();
    assert_eq!(minutes.len(), 60);
    assert!(
        minutes[..59].iter().all(|minute| minute["done"].as_i64().unwrap() > 100),
        "the hour is there at once: {object}"
    );
    let mail = &object["entrypoints"][0];
    assert_eq!((mail["entrypoint"].as_str(), mail["due"].as_i64()), (Some("mail.send"), Some(39)));
    assert!(object["schedules"][0]["next_tick"].is_string());
}

#[test]
fn with_an_interval_a_pipe_gets_one_after_the_other() {
    let shop = shop();
    let mut command = command(&shop.database, &["top", "--json", "--interval", "500 ms"]);
    let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    for _ in 0..2 {
        let object: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(object["total"]["due"], 77);
    }
    drop(lines);
    // Nobody reads any more.
    assert!(running.0.wait().unwrap().success());
}

#[test]
fn an_interval_that_is_no_interval_is_refused() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &["--interval", "1000000 d"]), ORDINARY);
    terminal.shows("mail.send");
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
    for wrong in ["100 ms", "soon", "-1 s"] {
        pgq(&shop.database, &["top", &format!("--interval={wrong}")]).ends(2);
    }
}
