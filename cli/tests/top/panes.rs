//! Each list, in terminals of all sizes.

use crate::shop::shop;
use crate::terminal::{ORDINARY, Terminal, program, top};

/// The key of each list, its name, and what stands in its first lines.
const PANES: [(&str, &str, &str); 5] = [
    ("1", "─ Entrypoints", "mail.send"),
    ("2", "─ In flight", "image.resize"),
    ("3", "─ Failed", "webhook.deliver"),
    ("4", "─ Workers", "7f1a3c9e"),
    ("5", "─ Schedules", "cleanup"),
];

#[test]
fn each_list_is_shown_in_a_terminal_of_any_size() {
    let shop = shop();
    for size in [ORDINARY, (40, 10), (200, 60), (30, 6), (500, 200)] {
        let mut terminal = Terminal::start(top(&shop.database, &[]), size);
        for (key, name, row) in PANES {
            // In little room the rows that matter most are there, and one can go to the others.
            let row = if size.1 < 24 { "" } else { row };
            terminal.press(key);
            let screen = terminal.until(name, |screen| screen.contains(name) && screen.contains(row));
            assert!(screen.lines().count() <= size.1.into(), "{screen}");
        }
        terminal.press("q");
        assert_eq!(terminal.ended(), 0);
    }
}

#[test]
fn an_ordinary_terminal_shows_the_hour_and_the_backlog() {
    let shop = shop();
    let terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    let screen = terminal.until("the hour", |screen| screen.contains("60 min ago") && !screen.contains('…'));
    let head = screen.lines().next().unwrap();
    assert!(head.contains("77 waiting · 12 in flight · 9 failed · 3 workers"), "{screen}");
    for text in ["jobs/min", "█", "x", "at limit", "paused", "5/5"] {
        assert!(screen.contains(text), "{text}:\n{screen}");
    }
    let row = screen.lines().find(|line| line.contains("search.index")).unwrap();
    assert_eq!(row.split_whitespace().take(4).collect::<Vec<_>>(), ["search.index", "25", "0", "0"]);
    let first = screen.lines().find(|line| line.starts_with("> ")).unwrap();
    assert!(first.contains("mail.send"), "the one with the most to do comes first: {screen}");
}

#[test]
fn a_wide_terminal_shows_all_lists_side_by_side() {
    let shop = shop();
    let terminal = Terminal::start(top(&shop.database, &[]), (200, 60));
    let is_there = |screen: &str| PANES.iter().all(|(_, name, row)| screen.contains(name) && screen.contains(row));
    let screen = terminal.until("all of them", is_there);
    let longest = screen.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(longest > 190, "the room is used: {longest}");
}

#[test]
fn it_follows_the_size_of_the_terminal_down_to_nothing_and_back() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.shows("mail.send");
    for size in [(40, 10), (200, 60), (29, 6), (30, 5), (10, 2), (1, 1), (3, 40), (250, 3), ORDINARY] {
        terminal.resize(size);
        match size {
            (40.., 10..) => {
                terminal.until("the list", |screen| screen.contains("mail.send") && screen.contains("Entrypoints"))
            }
            (29, 6) | (30, 5) => terminal.shows("pgq top needs"),
            _ => continue,
        };
    }
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn colours_are_shown_where_they_are_wanted_and_all_can_be_read_without() {
    let shop = shop();
    let coloured =
        |bytes: &str| bytes.contains("\x1b[38;5;") || bytes.contains("\x1b[31m") || bytes.contains("\x1b[32m");
    let mut ordinary = Terminal::start(top(&shop.database, &[]), ORDINARY);
    ordinary.shows("mail.send");
    assert!(coloured(&ordinary.bytes()));
    ordinary.press("q");
    let mut command = top(&shop.database, &[]);
    command.env("NO_COLOR", "1");
    let terminal = Terminal::start(command, ORDINARY);
    let screen = terminal.shows("mail.send");
    assert!(!coloured(&terminal.bytes()) && screen.contains("> mail.send") && screen.contains('▓'), "{screen}");
    let mut dumb = program(&shop.database, env!("CARGO_BIN_EXE_pgq"), &["top"]);
    dumb.env("TERM", "dumb");
    let mut terminal = Terminal::start(dumb, (200, 60));
    assert_eq!(terminal.ended(), 0, "a terminal that cannot be drawn on gets tables");
    terminal.shows("in the last full minute");
    assert!(!terminal.bytes().contains('\x1b'));
}

#[test]
fn a_prefix_hides_the_others_and_goes_off_the_names() {
    let mut shop = shop();
    shop.sql.batch_execute("SELECT pgq.enqueue('shop/mail')").unwrap();
    let mut command = top(&shop.database, &[]);
    command.env("PGQUEUER_PREFIX", "shop/");
    let mut terminal = Terminal::start(command, ORDINARY);
    let screen = terminal.shows("1 waiting");
    assert!(screen.contains("> mail ") && !screen.contains("mail.send"), "{screen}");
    terminal.press("p");
    shop.is("SELECT EXISTS (SELECT FROM pgq.entrypoints WHERE entrypoint = 'shop/mail' AND paused)");
}
