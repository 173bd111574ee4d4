//! Each key, and what it did to the queue.

use crate::shop::shop;
use crate::terminal::{ORDINARY, Terminal, top};

#[test]
fn an_entrypoint_is_paused_and_resumed() {
    let mut shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.chooses("mail.send");
    terminal.press("p");
    terminal.shows("mail.send is paused");
    shop.is("SELECT paused FROM pgq.entrypoints WHERE entrypoint = 'mail.send'");
    terminal.until("the row says so", |screen| {
        screen.lines().any(|line| line.starts_with("> mail.send") && line.contains("paused"))
    });
    terminal.press("u");
    terminal.shows("mail.send is resumed");
    shop.is("SELECT NOT paused FROM pgq.entrypoints WHERE entrypoint = 'mail.send'");
    terminal.press("u");
    terminal.shows("It was not paused.");
}

#[test]
fn a_failed_job_is_queued_again_after_a_question() {
    let mut shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    let id: i64 = shop.ask("SELECT max(id) FROM pgq.jobs WHERE status = 'failed'");
    terminal.goes_to("3", "Failed");
    terminal.chooses(&id.to_string());
    terminal.press("r");
    terminal.shows(&format!("Run job {id} again"));
    terminal.press("n");
    terminal.shows("Nothing was changed.");
    assert_eq!(shop.ask::<i64>("SELECT count(*) FROM pgq.jobs WHERE status = 'failed'"), 9);
    terminal.press("r");
    terminal.shows(&format!("Run job {id} again"));
    terminal.press("y");
    terminal.shows(&format!("Job {id} is queued again."));
    shop.is(&format!("SELECT status = 'queued' FROM pgq.jobs WHERE id = {id}"));
    terminal.until("the list has lost it", |screen| {
        screen.contains("8 failed") && !screen.contains(&format!(" {id}  web"))
    });
}

#[test]
fn jobs_are_canceled_after_a_question_in_flight_and_failed() {
    let mut shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    let longest: i64 = shop.ask("SELECT id FROM pgq.jobs WHERE status = 'picked' ORDER BY picked, id LIMIT 1");
    terminal.goes_to("2", "In flight");
    terminal.chooses(&longest.to_string());
    terminal.press("c");
    terminal.shows(&format!("Cancel job {longest}?"));
    terminal.press("y");
    terminal.shows(&format!("Job {longest} is canceled."));
    shop.is(&format!("SELECT outcome = 'canceled' FROM pgq.job_log WHERE job_id = {longest}"));
    let failed: i64 = shop.ask("SELECT max(id) FROM pgq.jobs WHERE status = 'failed'");
    terminal.goes_to("3", "Failed");
    terminal.chooses(&failed.to_string());
    terminal.press("c");
    terminal.shows(&format!("Cancel job {failed}?"));
    terminal.press("\x1b");
    terminal.shows("Nothing was changed.");
    terminal.press("c");
    terminal.shows("y does it");
    terminal.press("Y");
    shop.is(&format!("SELECT NOT EXISTS (SELECT FROM pgq.jobs WHERE id = {failed})"));
}

#[test]
fn a_schedule_is_paused_resumed_and_run() {
    let mut shop = shop();
    shop.sql.batch_execute("SELECT pgq.unschedule(n) FROM unnest('{cleanup,rates,newsletter}'::text[]) AS n").unwrap();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.goes_to("5", "Schedules");
    terminal.chooses("report");
    terminal.press("p");
    terminal.shows("Schedule report is paused");
    shop.is("SELECT NOT enabled FROM pgq.schedules WHERE name = 'report'");
    terminal.press("u");
    terminal.shows("Schedule report is resumed");
    shop.is("SELECT enabled FROM pgq.schedules WHERE name = 'report'");
    terminal.press("x");
    terminal.shows("Enqueue a job of report now?");
    terminal.press("y");
    terminal.shows("is queued.");
    shop.is("SELECT count(*) = 1 FROM pgq.jobs WHERE entrypoint = 'report' AND pgq.payload_text(payload) = 'daily'");
}

#[test]
fn the_filter_shows_what_has_it_in_its_name() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.chooses("mail.send");
    terminal.press("/IMAGE");
    terminal.shows("/IMAGE");
    terminal.until("one entrypoint", |screen| screen.contains("> image.resize") && !screen.contains("mail.send"));
    // While it is typed, letters are no commands.
    terminal.press("q\x7f\r");
    terminal.shows("with \"IMAGE\"");
    terminal.goes_to("3", "Failed");
    terminal.shows("Nothing fits the filter.");
    terminal.press("\x1b");
    terminal.shows("webhook.deliver");
    terminal.press("/nobody\x1b");
    terminal.until("all again", |screen| screen.contains("webhook.deliver") && !screen.contains("nobody"));
}

#[test]
fn a_list_is_sorted_by_any_column_either_way() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.chooses("mail.send");
    let names = |screen: &str| -> Vec<String> {
        let lines = screen.lines().skip_while(|line| !line.contains("─ Entrypoints")).skip(2);
        lines
            .filter_map(|line| {
                line.get(2..)?.split_whitespace().next().filter(|name| name.contains('.')).map(str::to_owned)
            })
            .collect()
    };
    let sorted = ["image.resize", "invoice.render", "mail.send", "search.index", "webhook.deliver"];
    terminal.press("s");
    terminal.until("by name", |screen| screen.contains("by entrypoint ▲") && names(screen) == sorted);
    terminal.press("S");
    terminal.until("by name, falling", |screen| {
        screen.contains("by entrypoint ▼") && names(screen) == sorted.into_iter().rev().collect::<Vec<_>>()
    });
    terminal.chooses("mail.send");
    terminal.press("sS");
    terminal.until("by what waits", |screen| {
        screen.contains("by waiting ▼") && names(screen)[..2] == ["mail.send", "search.index"]
    });
}

#[test]
fn the_selection_stays_with_its_row_and_in_sight() {
    let mut shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &["--interval", "500 ms"]), (80, 10));
    terminal.chooses("mail.send");
    terminal.press("\x1b[B");
    terminal.chooses("search.index");
    shop.sql.batch_execute("SELECT pgq.enqueue('zebra', 'x') FROM generate_series(1, 200)").unwrap();
    terminal.until("another comes before it", |screen| screen.contains("zebra") && screen.contains("> search.index"));
    terminal.press("G");
    terminal.chooses("invoice.render");
    terminal.press("g");
    terminal.chooses("zebra");
    terminal.press("\x1b[6~");
    terminal.hides("> zebra");
    terminal.press("\x1b[5~\x1b[5~");
    terminal.chooses("zebra");
}

#[test]
fn everything_of_a_row_and_the_help_are_shown_and_scrolled() {
    let shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.goes_to("3", "Failed");
    terminal.press("\r");
    let screen = terminal.shows("┌ Failed");
    assert!(screen.contains("connection refused by partner.example:443") || screen.contains("503 Service"), "{screen}");
    terminal.press("\x1b");
    terminal.hides("┌ Failed");
    terminal.press("?");
    terminal.shows("┌ Help");
    terminal.press("\x1b[6~");
    terminal.shows("counted no further");
    terminal.press("x");
    terminal.hides("┌ Help");
    terminal.press("\t");
    terminal.shows("─ Workers");
    terminal.press("\x1b[Z\x1b[D");
    terminal.shows("─ In flight");
    terminal.press("\x1b[C");
    terminal.shows("─ Failed");
}

#[test]
fn a_text_that_is_pasted_is_no_command() {
    let mut shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &[]), ORDINARY);
    terminal.goes_to("3", "Failed");
    terminal.press("\x1b[200~ry\ncy\x1b[201~");
    terminal.press("/\x1b[200~webhook\nq\x1b[201~\r");
    terminal.shows("with \"webhook\"");
    assert_eq!(shop.ask::<i64>("SELECT count(*) FROM pgq.jobs WHERE status = 'failed'"), 9);
}

#[test]
fn read_only_changes_nothing() {
    let mut shop = shop();
    let mut terminal = Terminal::start(top(&shop.database, &["--read-only"]), ORDINARY);
    let screen = terminal.chooses("mail.send");
    assert!(!screen.contains("p pause"), "{screen}");
    terminal.press("p");
    terminal.shows("This only looks");
    terminal.goes_to("3", "Failed");
    terminal.shows("webhook.deliver");
    terminal.press("r");
    terminal.shows("This only looks");
    assert_eq!(shop.ask::<i64>("SELECT count(*) FROM pgq.jobs WHERE status = 'failed'"), 9);
    assert!(!shop.ask::<bool>("SELECT EXISTS (SELECT FROM pgq.entrypoints WHERE entrypoint = 'mail.send' AND paused)"));
}

#[test]
fn a_monitor_sees_all_and_is_told_why_it_may_change_nothing() {
    let mut shop = shop();
    let role = format!("watcher_{}", shop.database.name);
    shop.sql.batch_execute(&format!("CREATE ROLE {role} LOGIN; SELECT pgq.grant_monitor('{role}')")).unwrap();
    let mut command = top(&shop.database, &[]);
    command.env("PGQUEUER_DSN", shop.database.address().replace("user=postgres", &format!("user={role}")));
    let mut terminal = Terminal::start(command, (200, 60));
    terminal.shows("503 Service Unavailable");
    terminal.press("p");
    let screen = terminal.shows("permission denied");
    assert!(screen.contains("Ask an administrator for the right"), "{screen}");
}
