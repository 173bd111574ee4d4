//! Arguments of the tools, with their ranges: what is out of them is refused before the database is asked.

use jiff::{Span, SpanRelativeTo};
use schemars::JsonSchema;
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use std::ops::RangeInclusive;
use std::time::Duration;

/// A length of time.
#[derive(Debug, Clone, Copy)]
pub struct Period(pub Duration);

const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

impl Period {
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    /// As ISO 8601 has it, days to seconds: PT5M, P1DT12H. At most 30 days.
    fn read(text: &str) -> Option<Self> {
        // Of all that is understood elsewhere, this alone.
        let known = |byte| matches!(byte, b'P' | b'T' | b'D' | b'H' | b'M' | b'S' | b'.' | b'0'..=b'9');
        let months = text.split('T').next().is_some_and(|date| date.contains('M'));
        let is_iso = text.starts_with('P') && text.bytes().all(known) && !months;
        let span: Span = text.parse().ok().filter(|_| is_iso)?;
        let length = Duration::try_from(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?).ok()?;
        (!length.is_zero() && length <= LONGEST).then_some(Self(length))
    }
}

/// For the default in the schema.
impl Serialize for Period {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("PT{}M", self.0.as_secs() / 60))
    }
}

fn within<'de, D: Deserializer<'de>>(from: D, name: &str, range: RangeInclusive<i64>) -> Result<i64, D::Error> {
    let number = Value::deserialize(from)?.as_i64().filter(|number| range.contains(number));
    let wrong = || D::Error::custom(format!("{name} must be a whole number from {} to {}", range.start(), range.end()));
    number.ok_or_else(wrong)
}

fn limit<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    within(from, "limit", 1..=500)
}

fn offset<'de, D: Deserializer<'de>>(from: D) -> Result<i64, D::Error> {
    within(from, "offset", 0..=10_000)
}

fn length<'de, D: Deserializer<'de>>(from: D, name: &str) -> Result<Period, D::Error> {
    let value = Value::deserialize(from)?;
    let wrong = || {
        let form = "a positive ISO 8601 duration of days to seconds, such as PT5M or P1DT12H, at most P30D";
        D::Error::custom(format!("{name} must be {form}"))
    };
    value.as_str().and_then(Period::read).ok_or_else(wrong)
}

fn period<'de, D: Deserializer<'de>>(from: D) -> Result<Period, D::Error> {
    length(from, "period")
}

fn threshold<'de, D: Deserializer<'de>>(from: D) -> Result<Period, D::Error> {
    length(from, "threshold")
}

fn fifty() -> i64 {
    50
}

fn hundred() -> i64 {
    100
}

fn five_minutes() -> Period {
    Period(Duration::from_secs(5 * 60))
}

fn an_hour() -> Period {
    Period(Duration::from_secs(60 * 60))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// How many jobs.
    #[serde(default = "hundred", deserialize_with = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: i64,
    /// How many newer jobs to pass over.
    #[serde(default, deserialize_with = "offset")]
    #[schemars(range(min = 0, max = 10_000))]
    pub offset: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Of how long ago until now, as an ISO 8601 duration such as PT1H.
    #[serde(default = "an_hour", deserialize_with = "period")]
    #[schemars(with = "String", extend("format" = "duration"))]
    pub period: Period,
    /// How many rows.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Of how long ago until now, as an ISO 8601 duration such as PT1H.
    #[serde(default = "an_hour", deserialize_with = "period")]
    #[schemars(with = "String", extend("format" = "duration"))]
    pub period: Period,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// How many jobs.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How many rows.
    #[serde(default = "hundred", deserialize_with = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: i64,
    /// Only of this entrypoint.
    pub entrypoint: Option<String>,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
}

/// How an attempt or a job ended.
#[derive(Debug, Clone, Copy, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    Successful,
    Exception,
    Failed,
    Canceled,
    Deleted,
    Retried,
    Released,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stale {
    /// Jobs that a worker has held for longer, as an ISO 8601 duration such as PT5M.
    #[serde(default = "five_minutes", deserialize_with = "threshold")]
    #[schemars(with = "String", extend("format" = "duration"))]
    pub threshold: Period,
    /// How many jobs.
    #[serde(default = "fifty", deserialize_with = "limit")]
    #[schemars(range(min = 1, max = 500))]
    pub limit: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OneJob {
    /// The job's id.
    pub id: i64,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Jobs {
    /// Their ids.
    #[schemars(length(min = 1, max = 1000))]
    pub ids: Vec<i64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entrypoint {
    /// Its name, as queue_size tells it.
    #[schemars(length(min = 1, max = 255))]
    pub entrypoint: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Its name, as schedules tells it.
    #[schemars(length(min = 1, max = 255))]
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_iso_8601_from_days_to_seconds() {
        let seconds = |text: &str| Period::read(text).map(Period::seconds);
        for (text, length) in
            [("PT5M", 300.0), ("P1D", 86_400.0), ("P1DT2H3M4.5S", 93_784.5), ("PT90M", 5400.0), ("P30D", 2_592_000.0)]
        {
            assert_eq!(seconds(text), Some(length), "{text}");
        }
        for wrong in [
            "", "P", "PT", "5 min", "-PT5M", "PT-5M", "PT0S", "P1M", "P1Y", "P1W", "P31D", "PT5", "pt5m", "1h",
            "00:05:00",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn numbers_out_of_their_range_are_refused_with_it() {
        let limit = |text: &str| serde_json::from_str::<Failed>(text).map(|failed| failed.limit);
        assert_eq!(limit("{}").unwrap(), 50);
        assert_eq!(limit("{\"limit\":500}").unwrap(), 500);
        for wrong in ["{\"limit\":0}", "{\"limit\":501}", "{\"limit\":-9223372036854775808}"] {
            assert!(
                limit(wrong).unwrap_err().to_string().contains("limit must be a whole number from 1 to 500"),
                "{wrong}"
            );
        }
        for wrong in
            ["{\"limit\":\"5\"}", "{\"limit\":1.5}", "{\"limits\":5}", "[]x", "{\"limit\":99999999999999999999}"]
        {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
