//! What a program's end says of its job.

use crate::working::{Working, drained, live, log, logged};
use pgqueuer_e2e::ask::{run, value};
use pgqueuer_e2e::cluster::database;
use postgres::Client;

fn enqueue(session: &mut Client, payload: &str) -> i64 {
    value(session, "SELECT pgq.enqueue('a', $1)", &[&payload])
}

#[test]
fn an_exit_code_says_what_becomes_of_the_job() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let [done, failed, held, later] = ["0", "3", "65", "75"].map(|code| enqueue(&mut session, code));
    let script = "echo hint >&2; echo why >&2; exit $(cat)";
    let worker = Working::start(&database, "-e a=4 --retry-delay 1h", script);
    assert_eq!(logged(&mut session, done).outcome, "successful");
    let logged_failed = logged(&mut session, failed);
    assert_eq!((logged_failed.outcome.as_str(), logged_failed.message()), ("failed", "exit code 3: why"));
    assert_eq!(logged_failed.error["causes"][0], "hint\nwhy");
    let logged_held = logged(&mut session, held);
    assert_eq!((logged_held.outcome.as_str(), logged_held.message()), ("failed", "exit code 65: why"));
    let logged_later = logged(&mut session, later);
    assert_eq!((logged_later.outcome.as_str(), logged_later.message()), ("retried", "exit code 75: why"));
    let (status, attempts, seconds) = live(&mut session, later).unwrap();
    assert!(status == "queued" && attempts == 1 && (3500.0..=3600.0).contains(&seconds), "{status} {seconds}");
    let told = worker.stop();
    assert!(told.contains("a 2, attempt 1: failed after") || told.contains("failed after"), "{told}");
    assert!(told.contains(": given up after") && !told.contains("done"), "only what went wrong is told: {told}");
}

#[test]
fn exit_code_65_gives_up_while_attempts_are_left_and_others_do_not() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 3, backoff_initial => '0 s')");
    let [held, failed] = ["65", "1"].map(|code| enqueue(&mut session, code));
    drained(&database, "-e a", "exit $(cat)", 1);
    let outcomes = |session: &mut Client, id| log(session, id).into_iter().map(|one| one.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes(&mut session, held), ["failed"]);
    assert_eq!(outcomes(&mut session, failed), ["retried", "retried", "failed"]);
}

#[test]
fn a_program_may_say_when_it_wants_its_job_again() {
    let database = database();
    let mut session = database.connect();
    let ids = ["retry after 2 h", "Retry-After: 7200", "retry after 7200", "retry after never"]
        .map(|line| enqueue(&mut session, line));
    let worker =
        Working::start(&database, "-e a=4 --retry-delay 1min", "echo the shop is closed >&2; cat >&2; exit 75");
    for (place, id) in ids.into_iter().enumerate() {
        let row = logged(&mut session, id);
        let seconds = live(&mut session, id).unwrap().2;
        let (expected, message) = if place < 3 {
            (7100.0..=7200.0, "exit code 75: the shop is closed")
        } else {
            (50.0..=60.0, "exit code 75: retry after never")
        };
        assert!(expected.contains(&seconds) && row.message() == message, "{seconds} {row:?}");
    }
    worker.stop();
}

#[test]
fn death_by_a_signal_is_a_failure_that_names_it() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let ids = ["KILL", "SEGV", "TERM"].map(|name| enqueue(&mut session, name));
    drained(&database, "-e a=3", "ulimit -c 0; kill -$(cat) $$", 1);
    let messages = ids.map(|id| log(&mut session, id).remove(0).message().to_owned());
    assert_eq!(messages[0], "ended by signal 9 (SIGKILL)");
    assert!(messages[1].starts_with("ended by signal 11 (SIGSEGV)"), "{messages:?}");
    assert_eq!(messages[2], "ended by signal 15 (SIGTERM)");
}

#[test]
fn what_is_kept_of_standard_error_is_short_and_harmless() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id = enqueue(&mut session, "");
    let script = r#"for i in $(seq 20000); do echo "line $i"; done >&2
        printf '\033[31mred\033[0m a\000b \377 \342\200\256 \033]0;owned\007 %s\r\n\n' "$(printf 'x%.0s' $(seq 1000))" >&2; exit 1"#;
    let worker = drained(&database, "-e a --output drop", script, 1);
    let error = log(&mut session, id).remove(0).error;
    let (message, cause) = (error["message"].as_str().unwrap(), error["causes"][0].as_str().unwrap());
    assert!(message.starts_with("exit code 1: red ab \u{FFFD} \\u{202e} ") && message.len() < 400, "{message}");
    assert!(cause.starts_with("line ") && cause.contains("\nline 20000\nred a") && cause.len() < 9000, "{cause}");
    assert!(!error.to_string().contains("\\u001b") && !cause.contains('\u{202e}'), "{error}");
    assert!(!worker.err().contains(['\x1b', '\u{202e}']), "{}", worker.err());
}

#[test]
fn a_program_that_closes_its_pipes_has_not_ended() {
    let database = database();
    let mut session = database.connect();
    run(&mut session, "SELECT pgq.configure('a', max_attempts => 1)");
    let id = enqueue(&mut session, "x");
    drained(&database, "-e a", "exec <&- >&- 2>&-; sleep 0.2; exit 9", 1);
    assert_eq!(log(&mut session, id)[0].message(), "exit code 9");
}
