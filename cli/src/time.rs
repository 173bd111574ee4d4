//! Times and lengths of time, as people write them.

use crate::error::{Error, Result};
use crate::query::{self, zone};
use crate::sql;
use chrono::{DateTime, Utc};
use jiff::{Span, SpanRelativeTo, Timestamp, Zoned, civil};
use pgqueuer_client::Postgres;
use std::str::FromStr;
use std::time::Duration;
use tokio_postgres::types::{Timestamp as Sql, Type};

/// A length of time: "10 s", "5 min", "1 day 2 h", "00:05:00", "PT5M".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length(pub Duration);

impl FromStr for Length {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "write a length of time such as \"10 s\", \"5 min\", \"1 day 2 h\" or PT10S";
        let span: Span = text.trim().parse().map_err(|_| WRONG)?;
        // A month is as long as the one that begins now.
        let length = span.to_duration(SpanRelativeTo::from(&Zoned::now())).map_err(|_| WRONG)?;
        Ok(Self(Duration::try_from(length).map_err(|_| "must not be negative")?))
    }
}

/// A time: RFC 3339, or as PostgreSQL writes it; where it names no zone, this machine's counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    At(DateTime<Utc>),
    /// What only the server understands: "tomorrow 9:00", "infinity".
    Words(String),
}

impl FromStr for When {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match instant(text) {
            Some(at) => Ok(Self::At(at)),
            None if text.trim().is_empty() => Err("is empty"),
            None => Ok(Self::Words(text.to_owned())),
        }
    }
}

impl When {
    /// # Errors
    /// [`Error::Usage`], which names the argument, where the server does not understand it, either.
    pub async fn resolved(&self, argument: &str, queue: &Postgres) -> Result<DateTime<Utc>> {
        let words = match self {
            Self::At(at) => return Ok(*at),
            Self::Words(words) => words,
        };
        let parameters: [query::Parameter; 2] = [(words, Type::TEXT), (&zone(), Type::TEXT)];
        match query::value(queue, sql!("instant"), &parameters).await {
            Ok(Sql::Value(at)) => Ok(at),
            Ok(Sql::PosInfinity) => Ok(DateTime::<Utc>::MAX_UTC),
            Ok(Sql::NegInfinity) => Ok(DateTime::<Utc>::MIN_UTC),
            // Class 22: what was given, not who gave it.
            Err(Error::Queue(error)) if error.sqlstate().is_some_and(|state| state.starts_with("22")) => {
                Err(not_a_time(argument, words))
            }
            Err(error) => Err(error),
        }
    }
}

/// What the argument should have been.
pub fn not_a_time(argument: &str, text: &str) -> Error {
    let text = crate::text::short(text, 60);
    Error::usage(
        format!("{argument} is no time: \"{text}\""),
        "Write 2026-07-01T09:00:00+02:00, \"2026-07-01 09:00\" in the zone of this machine, or what PostgreSQL reads.",
    )
}

/// A time that can be understood without the server.
pub fn instant(text: &str) -> Option<DateTime<Utc>> {
    let local = |text: &str| {
        Some(text.parse::<civil::DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::system()).ok()?.timestamp())
    };
    let text = text.trim();
    let at = text.parse::<Timestamp>().ok().or_else(|| local(text))?;
    DateTime::from_timestamp_micros(at.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        let seconds = |text: &str| text.parse::<Length>().unwrap().0.as_secs();
        assert_eq!(seconds("10 s"), 10);
        assert_eq!(seconds("5 min"), 300);
        assert_eq!(seconds("5m"), 300);
        assert_eq!(seconds("1 day 2 h"), 93_600);
        assert_eq!(seconds("00:05:00"), 300);
        assert_eq!(seconds("PT10S"), 10);
        assert_eq!(seconds("P1DT1H"), 90_000);
        assert_eq!(seconds("1h30m"), 5400);
        for wrong in ["", "10", "soon", "-5 s", "5 parsecs"] {
            assert!(wrong.parse::<Length>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn times_are_read_as_rfc_3339_and_as_postgresql_writes_them() {
        let at = DateTime::parse_from_rfc3339("2026-07-01T07:00:00Z").unwrap().to_utc();
        for text in ["2026-07-01T09:00:00+02:00", "2026-07-01 09:00:00+02", " 2026-07-01 07:00:00Z "] {
            assert_eq!(instant(text), Some(at), "{text}");
        }
        assert!(instant("2026-07-01 09:00").is_some() && instant("2026-07-01").is_some());
        assert!(instant("tomorrow").is_none() && instant("2026-02-30 09:00").is_none());
        // Before 1970, with a part of a second.
        assert_eq!(instant("1969-12-31T23:59:59.25Z").map(|at| at.timestamp_millis()), Some(-750));
    }
}
