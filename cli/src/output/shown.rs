//! A value as people read it.
//!
//! A column whose name ends in `_seconds` holds a length of time: programs get the number, people read "3 min 20 s" under a
//! heading without the ending. So do they of one in `_start`, the beginning of a long text.

use crate::text::harmless;
use chrono::{DateTime, Datelike, Local};
use serde_json::Value;

const LENGTH: &str = "_seconds";
const BEGINNING: &str = "_start";

/// What stands above a column.
pub fn heading(name: &str) -> String {
    harmless(name.strip_suffix(LENGTH).or(name.strip_suffix(BEGINNING)).unwrap_or(name)).into_owned()
}

/// A value of a column. With `now` given, a time is told as short as it can be told from now.
pub fn text(name: &str, value: &Value, now: Option<DateTime<Local>>) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.into(),
        Value::String(text) => match time_of(text) {
            Some(time) => time_text(time, now),
            None => harmless(text).into_owned(),
        },
        Value::Number(number) if name.ends_with(LENGTH) => length(number.as_f64().unwrap_or_default()),
        Value::Array(values) => {
            let values: Vec<_> = values.iter().map(|value| text(name, value, now)).collect();
            values.join(", ")
        }
        other => harmless(&other.to_string()).into_owned(),
    }
}

/// The server writes times as `2026-11-22T10:00:00.123+00:00`.
pub fn time_of(text: &str) -> Option<DateTime<Local>> {
    let time = DateTime::parse_from_rfc3339(text).ok().filter(|_| text.len() >= 20)?;
    Some(time.with_timezone(&Local))
}

fn time_text(time: DateTime<Local>, now: Option<DateTime<Local>>) -> String {
    let format = match now {
        None => "%Y-%m-%d %H:%M:%S",
        Some(now) if now.date_naive() == time.date_naive() => "%H:%M:%S",
        Some(now) if now.year() == time.year() => "%b %d %H:%M",
        Some(_) => "%Y-%m-%d",
    };
    time.format(format).to_string()
}

/// A length of time, in its two greatest units.
pub fn length(seconds: f64) -> String {
    let sign = if seconds < 0.0 { "-" } else { "" };
    let seconds = seconds.abs();
    if seconds < 0.9995 {
        return format!("{sign}{:.0} ms", seconds * 1000.0);
    }
    if seconds < 9.95 {
        let short = format!("{seconds:.1}");
        return format!("{sign}{} s", short.trim_end_matches(".0"));
    }
    // Nobody waits for longer than an i64 of seconds.
    #[allow(clippy::cast_possible_truncation, reason = "a float that is too great becomes the greatest number")]
    let whole = seconds.round() as i64;
    let units = [("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, size)| whole >= *size).unwrap_or(units.len() - 1);
    let mut rest = whole;
    let mut parts = vec![];
    for (name, size) in units.iter().skip(first).take(2) {
        if rest >= *size {
            parts.push(format!("{} {name}", rest / size));
        }
        rest %= size;
    }
    format!("{sign}{}", parts.join(" "))
}

/// "1 job", "2,000 jobs".
pub fn count(number: i64, one: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{} {one}{many}", grouped(number))
}

/// "2,000".
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    let sign = if number < 0 { "-" } else { "" };
    format!("{sign}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;
    use serde_json::json;

    #[test]
    fn a_text_that_is_no_time_stays() {
        assert_eq!(text("x", &json!("2026-01-01"), None), "2026-01-01");
        assert_eq!(text("x", &json!(null), None), "");
        assert_eq!(text("x", &json!({ "a": "\x1b" }), None), r#"{"a":"\u001b"}"#);
        assert_eq!(text("x", &json!(["a", "\x1b"]), None), "a, \\u{1b}");
        assert_eq!(text("x", &json!("infinity"), None), "infinity");
    }

    #[test]
    fn a_time_is_told_as_short_as_it_can_be_told_from_now() {
        let at = |year, day| Local.with_ymd_and_hms(year, 3, day, 12, 30, 5).unwrap();
        let now = Some(at(2026, 20));
        assert_eq!(time_text(at(2026, 20), now), "12:30:05");
        assert_eq!(time_text(at(2026, 19), now), "Mar 19 12:30");
        assert_eq!(time_text(at(2025, 19), now), "2025-03-19");
        assert_eq!(time_text(at(2026, 20), None), "2026-03-20 12:30:05");
    }

    #[test]
    fn a_length_has_two_units() {
        let lengths = [0.0015, 4.25, 1.0, 59.0, 60.0, 3725.0, 90_000.0, 1e300];
        let texts = lengths.map(length);
        assert_eq!(texts[..7], ["2 ms", "4.2 s", "1 s", "59 s", "1 min", "1 h 2 min", "1 d 1 h"]);
        assert_eq!(text("wait_seconds", &json!(-61), None), "-1 min 1 s");
        assert_eq!(heading("wait_seconds"), "wait");
    }

    #[test]
    fn great_numbers_have_commas() {
        assert_eq!(count(1, "job"), "1 job");
        assert_eq!(count(0, "job"), "0 jobs");
        assert_eq!(count(1_234_567, "job"), "1,234,567 jobs");
    }
}
