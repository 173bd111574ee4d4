//! However it ends, the terminal is as it was.

use crate::shop::shop;
use crate::terminal::{ORDINARY, Terminal, program, signal, top};
use pgqueuer_e2e::cluster::database;
use pgqueuer_e2e::until::until;

#[test]
fn keys_that_end_it_give_the_terminal_back() {
    let shop = shop();
    for key in ["q", "\x03", "\x04"] {
        let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
        terminal.shows("mail.send");
        terminal.is_taken();
        terminal.press(key);
        assert_eq!(terminal.ended(), 0);
        terminal.is_given_back();
        assert!(!terminal.screen().contains("mail.send"), "nothing of it is left");
    }
}

#[test]
fn signals_that_end_it_give_the_terminal_back() {
    let shop = shop();
    for name in ["TERM", "INT", "HUP", "QUIT"] {
        let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
        terminal.shows("mail.send");
        terminal.is_taken();
        terminal.signal(name);
        assert_eq!(terminal.ended(), 0, "{name}");
        terminal.is_given_back();
    }
}

/// The process that a shell in the terminal runs in its foreground.
fn child_of(shell: u32) -> u32 {
    let children = || std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children")).ok();
    until("the shell has started it", || children()?.split_whitespace().next()?.parse().ok())
}

#[test]
fn a_shell_stops_it_and_brings_it_back() {
    let shop = shop();
    let mut command = program(&shop.database, "bash", &["--norc", "--noprofile", "-i"]);
    command.env("PS1", "ready> ");
    let mut terminal = Terminal::start(command, ORDINARY);
    terminal.shows("ready> ");
    terminal.press(&format!("{} top\n", env!("CARGO_BIN_EXE_pgq")));
    terminal.shows("> mail.send");
    terminal.press("\x1a");
    terminal.shows("Stopped");
    terminal.is_ordinary();
    terminal.press("echo as$((1 + 1))before\n");
    terminal.shows("as2before");
    terminal.press("fg\n");
    terminal.shows("> mail.send");
    terminal.press("5");
    terminal.shows("cleanup");
    // The same when somebody else stops it.
    let process = child_of(terminal.child.process_id().unwrap());
    signal(process, "TSTP");
    terminal.shows("Stopped");
    terminal.is_ordinary();
    terminal.press("fg\n");
    terminal.shows("cleanup");
    // One that could not be heard of before.
    signal(process, "STOP");
    terminal.shows("Stopped");
    terminal.press("fg\n");
    terminal.shows("cleanup");
    terminal.press("q");
    terminal.shows("ready> ");
    terminal.is_ordinary();
    terminal.press("stty -a\n");
    terminal.shows("isig icanon iexten echo ");
}

#[test]
fn where_nobody_could_bring_it_back_it_does_not_stop() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.shows("> mail.send");
    terminal.press("\x1a5");
    terminal.shows("cleanup");
    terminal.signal("TSTP");
    terminal.press("1");
    terminal.shows("mail.send");
}

#[test]
fn in_a_container_it_does_not_stop_either() {
    let shop = shop();
    // The session of its parent is not of this world, as that of a program that enters a container.
    let contained = ["--user", "--map-root-user", "--pid", "--fork", "setsid", "--fork", "--wait"];
    let inner = [env!("CARGO_BIN_EXE_pgq"), "top"];
    let allowed = std::process::Command::new("unshare").args(&contained[..4]).arg("true").output();
    if !allowed.is_ok_and(|output| output.status.success()) {
        // Inside of a container that allows no other: there the test before this one is in the same circumstances.
        eprintln!("left out: no namespaces may be made here");
        return;
    }
    let command = program(&shop.database, "unshare", &[&contained[..], &inner].concat());
    let mut terminal = Terminal::start(command, ORDINARY);
    terminal.shows("> mail.send");
    terminal.press("\x1a5");
    terminal.shows("cleanup");
}

#[test]
fn it_ends_with_its_terminal() {
    let shop = shop();
    // A terminal of its own inside of ours, whose program is killed.
    let inner = format!("exec {} top", env!("CARGO_BIN_EXE_pgq"));
    let terminal = Terminal::start(program(&shop.database, "script", &["-qec", &inner, "/dev/null"]), ORDINARY);
    terminal.shows("mail.send");
    let process = child_of(terminal.child.process_id().unwrap());
    terminal.signal("KILL");
    let program = format!("/proc/{process}/exe");
    until("it ends", || std::fs::read_link(&program).is_err().then_some(()));
}

#[test]
fn what_is_wrong_from_the_start_is_said_on_an_ordinary_screen() {
    let database = database();
    let mut command = top(&database, &[]);
    command.env("PGQUEUER_DSN", "host=127.0.0.1 port=1 user=nobody");
    let mut terminal = Terminal::start(command, ORDINARY);
    assert_eq!(terminal.ended(), 3);
    terminal.shows("no connection to 127.0.0.1 port 1");
    assert!(!terminal.bytes().contains("\x1b[?1049h"));
    let empty = pgqueuer_e2e::cluster::empty_database();
    let mut terminal = Terminal::start(top(&empty, &[]), ORDINARY);
    assert_eq!(terminal.ended(), 1);
    terminal.shows("CREATE EXTENSION pgqueuer");
}
