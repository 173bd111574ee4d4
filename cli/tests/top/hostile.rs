//! Names, payloads and errors may hold anything: the terminal obeys none of it.

use crate::pgq;
use crate::terminal::{ORDINARY, Terminal, top};
use pgqueuer_e2e::cluster::database;

/// Sets the title, clears the screen, turns the direction, hides, is wide, stacks up, ends the line.
const NAME: &str =
    r"E'\x1b]0;owned\x07\x1b[2J\u202e\u200b\u061c\n漢字漢字漢字漢字漢字a\u0301\u0301\u0301\u009b31m<script>'";

#[test]
fn nothing_that_a_terminal_obeys_reaches_it() {
    let database = database();
    let mut sql = database.connect();
    sql.batch_execute(&format!(
        "SELECT pgq.configure({NAME}, max_attempts => 1);
         SELECT pgq.enqueue({NAME}, repeat(E'\\x1b[31mred', 1000000));
         SELECT pgq.enqueue({NAME}, payload_bytes => '\\xff1b5b324a');
         SELECT pgq.fail(id, repeat({NAME}, 20000)) FROM pgq.dequeue(ARRAY[{NAME}], 1);
         SELECT FROM pgq.dequeue(ARRAY[{NAME}], 1, worker => '7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11', lease => '1 h');
         SELECT pgq.schedule({NAME}, '0 0 1 1 *');"
    ))
    .unwrap();
    for size in [ORDINARY, (40, 10), (200, 60), (31, 7)] {
        let mut terminal = Terminal::start(top(&database, &[]), size);
        for (key, list) in
            [("1", "Entrypoints"), ("2", "In flight"), ("3", "Failed"), ("4", "Workers"), ("5", "Schedules")]
        {
            terminal.goes_to(key, list);
            if size.1 > 7 && key != "4" {
                terminal.shows("\\u{1b}");
            }
            terminal.press("\r");
            terminal.shows("┌ ");
            terminal.press("\x1b[6~\x1b[6~x");
            terminal.hides("┌ ");
        }
        terminal.press("/\u{202e}漢\u{1}\r");
        terminal.shows("with \"\\u{202e}漢");
        terminal.press("q");
        assert_eq!(terminal.ended(), 0);
        let bytes = terminal.bytes();
        for obeyed in ["\x1b]0;", "\x07", "\x1b[2J\u{5c}", "\u{202e}", "\u{200b}", "\u{61c}", "\u{9b}", "\x1b[31mred"] {
            assert!(!bytes.contains(obeyed), "{obeyed:?}");
        }
    }
    let table = pgq::pgq(&database, &["top"]).ok();
    assert!(!table.contains(['\x1b', '\u{202e}', '\u{9b}']) && table.contains("\\u{1b}"), "{table}");
    pgq::pgq(&database, &["top", "--json"]).json();
}
