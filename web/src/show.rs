//! Numbers, times and text of unknown origin, for people.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;
use std::fmt::Write;

/// A time as the database writes it: it knows some that we do not (`infinity`, the year 10000).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    text: String,
    time: Option<DateTime<Utc>>,
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = DateTime::parse_from_rfc3339(&text).ok().map(Into::into);
        Ok(Self { text, time })
    }
}

impl From<DateTime<Utc>> for Moment {
    fn from(time: DateTime<Utc>) -> Self {
        Self { text: time.to_rfc3339(), time: Some(time) }
    }
}

impl Moment {
    /// None where only the database knows it.
    pub fn time(&self) -> Option<DateTime<Utc>> {
        self.time
    }

    /// For `<time datetime>`.
    pub fn iso(&self) -> String {
        self.time.map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
    }

    /// To the second.
    pub fn utc(&self) -> String {
        self.time.map_or_else(|| self.odd(), |time| time.format("%Y-%m-%d %H:%M:%S UTC").to_string())
    }

    /// `3 min ago`, `in 2 h`.
    pub fn ago(&self) -> String {
        let Some(time) = self.time else { return self.odd() };
        let passed = Utc::now() - time;
        if passed.num_seconds() == 0 {
            "now".to_owned()
        } else if passed > TimeDelta::zero() {
            format!("{} ago", span(passed))
        } else {
            format!("in {}", span(-passed))
        }
    }

    /// For how long: `3 min`.
    pub fn since(&self) -> String {
        self.time.map_or_else(|| self.odd(), |time| span(Utc::now() - time))
    }

    fn odd(&self) -> String {
        match self.text.as_str() {
            "infinity" => "never".to_owned(),
            "-infinity" => "always".to_owned(),
            other => other.to_owned(),
        }
    }
}

/// A length of time in its greatest unit.
pub fn span(length: TimeDelta) -> String {
    let seconds = length.num_seconds().max(0);
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// Seconds, as short as they can be said: `12 ms`, `3.4 s`.
pub fn seconds(seconds: f64) -> String {
    match seconds {
        0.0..1.0 => format!("{:.0} ms", seconds * 1000.0),
        1.0..10.0 => format!("{seconds:.1} s"),
        _ => span(TimeDelta::seconds(seconds as i64)),
    }
}

/// `12,345`.
pub fn count(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "−" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number that was counted up to a bound: `8,300+` where it was reached.
pub fn bounded(number: i64, bound: i64) -> String {
    if bound <= 0 || number < bound {
        return count(number);
    }
    let unit = 10_i64.pow(number.max(1).ilog10().saturating_sub(1));
    format!("{}+", count(number / unit * unit))
}

/// `12 B`, `3.4 kB`, `10.0 MB`.
pub fn bytes(number: i64) -> String {
    match number {
        ..1000 => format!("{number} B"),
        1000..1_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        _ => format!("{:.1} MB", number as f64 / 1e6),
    }
}

/// Characters that show nothing, or turn what stands around them, as `\u{202e}`. Line breaks and tabs stay.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return text.into();
    }
    let mut visible = String::with_capacity(text.len());
    for char in text.chars() {
        if is_hidden(char) {
            // Writing to a String cannot fail.
            write!(visible, "{}", char.escape_unicode()).ok();
        } else {
            visible.push(char);
        }
    }
    visible.into()
}

fn is_hidden(char: char) -> bool {
    char.is_control() && !matches!(char, '\n' | '\t')
        || matches!(char, '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_bounds_say_so() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(-100), "−100");
        assert_eq!(bounded(8332, 8333), "8,332");
        assert_eq!(bounded(8333, 8333), "8,300+");
        assert_eq!(bounded(50_000, 50_000), "50,000+");
        assert_eq!(bounded(0, 0), "0");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(10_485_760), "10.5 MB");
    }

    #[test]
    fn times_that_only_the_database_knows_are_shown() {
        let moment = |text: &str| serde_json::from_value::<Moment>(text.into()).unwrap();
        assert_eq!(moment("infinity").ago(), "never");
        assert_eq!(moment("10000-01-01T00:00:00+00:00").utc(), "10000-01-01T00:00:00+00:00");
        assert_eq!(moment("2026-01-02T03:04:05.678+00:00").utc(), "2026-01-02 03:04:05 UTC");
        assert!(moment("2001-01-02T03:04:05+00:00").ago().ends_with(" ago"));
        assert_eq!(span(TimeDelta::seconds(3661)), "1 h 01 min");
        assert_eq!(seconds(0.0123), "12 ms");
    }

    #[test]
    fn nothing_hides_in_a_text() {
        assert_eq!(visible("plain ü 漢\n\t"), "plain ü 漢\n\t");
        assert_eq!(visible("\x1b[31m\u{9b}\u{202e}evil"), "\\u{1b}[31m\\u{9b}\\u{202e}evil");
    }
}
