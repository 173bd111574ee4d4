//! What a program's end says of its job.

use super::tail::last_line;
use crate::time::Length;
use pgqueuer_client::{Failure, Outcome};
use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

/// `EX_TEMPFAIL` of sysexits.h: again, later.
pub const RETRY: i32 = 75;
/// `EX_DATAERR`: trying again is of no use.
pub const HOLD: i32 = 65;
/// No job is put off for longer by what somebody else says.
pub const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// Why an attempt failed, and what was said about it.
#[derive(Debug)]
struct Why {
    message: String,
    said: Option<Said>,
}

#[derive(Debug)]
struct Said(String);

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Said {}

impl std::error::Error for Why {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.said.as_ref().map(|said| said as _)
    }
}

/// `what`, and the last line of what was said, in a sentence; all of that as its cause, where there is more.
pub fn failure(what: &str, said: &str) -> Failure {
    let is_more = last_line(said).is_some_and(|line| line != said.trim());
    Failure::new(Why { message: sentence(what, said), said: is_more.then(|| Said(said.to_owned())) })
}

fn sentence(what: &str, said: &str) -> String {
    last_line(said).map_or_else(|| what.to_owned(), |line| format!("{what}: {line}"))
}

/// Of a program that has ended by itself, and has written `said` to standard error.
pub fn of(status: ExitStatus, said: &str, retry_delay: Duration) -> Outcome {
    let what = name(status);
    match status.code() {
        Some(0) => Outcome::Done,
        Some(RETRY) => match asked(said) {
            Some((delay, rest)) => Outcome::Retry(delay, Some(sentence(&what, rest))),
            None => Outcome::Retry(retry_delay, Some(sentence(&what, said))),
        },
        Some(HOLD) => Outcome::Hold(failure(&what, said)),
        _ => Outcome::Fail(failure(&what, said)),
    }
}

fn name(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit code {code}"),
        // "signal: 9 (SIGKILL)"
        None => format!("ended by {}", status.to_string().replacen("signal: ", "signal ", 1)),
    }
}

/// Whether it was told to end by a signal with which services are ended. A shell puts that into the exit code.
pub fn was_told_to_end(status: ExitStatus) -> bool {
    matches!(status.signal().or(status.code().map(|code| code - 128)), Some(2 | 15))
}

/// "retry after 10 min", or "Retry-After: 120" (seconds), as the last line; and what stands before it.
fn asked(said: &str) -> Option<(Duration, &str)> {
    let said = said.trim_end();
    let (rest, line) = said.rsplit_once('\n').unwrap_or(("", said));
    let line = line.trim().to_ascii_lowercase();
    let length = line.strip_prefix("retry after ").or_else(|| line.strip_prefix("retry-after:"))?.trim();
    let seconds = || length.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let delay = seconds().or_else(|| length.parse::<Length>().ok().map(|length| length.0))?;
    Some((delay.min(LONGEST), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_may_say_how_long_to_wait() {
        let seconds = |said: &str| asked(said).map(|(delay, _)| delay.as_secs());
        assert_eq!(asked("busy\nretry after 10 min\n"), Some((Duration::from_secs(600), "busy")));
        assert_eq!(seconds("Retry after 30"), Some(30));
        assert_eq!(seconds("Retry-After: 120"), Some(120));
        assert_eq!(seconds("retry after 1e300"), None);
        assert_eq!(seconds("retry after 1e15"), Some(LONGEST.as_secs()));
        for said in ["", "busy", "retry after", "retry after soon", "retry after -5 s", "retry after 5 s\nbusy"] {
            assert_eq!(seconds(said), None, "{said}");
        }
    }

    #[test]
    fn who_was_told_to_end_is_known() {
        let told = |raw| was_told_to_end(ExitStatus::from_raw(raw));
        assert!(told(15) && told(2) && told(143 << 8) && told(130 << 8));
        assert!(!told(9) && !told(15 << 8) && !told(0) && !told(137 << 8));
    }

    #[test]
    fn an_end_has_a_name() {
        assert_eq!(name(ExitStatus::from_raw(3 << 8)), "exit code 3");
        assert_eq!(name(ExitStatus::from_raw(9)), "ended by signal 9 (SIGKILL)");
        assert_eq!(name(ExitStatus::from_raw(11 | 0x80)), "ended by signal 11 (SIGSEGV) (core dumped)");
        let json = failure("exit code 1", "a\nb").to_json();
        assert_eq!(json, serde_json::json!({ "message": "exit code 1: b", "causes": ["a\nb"] }));
        assert_eq!(failure("exit code 1", "a").to_json(), serde_json::json!({ "message": "exit code 1: a" }));
        assert_eq!(failure("exit code 1", "").to_json(), serde_json::json!({ "message": "exit code 1" }));
    }
}
