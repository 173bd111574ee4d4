//! Arguments of the tools, with their ranges: what is out of them is refused before the database is asked.

use jiff::{Span, SpanRelativeTo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::time::Duration;

/// A whole number in a range.
#[derive(Debug, Clone, Copy)]
pub struct Within<const LEAST: i64, const MOST: i64>(pub i64);

/// How many rows.
pub type Limit = Within<1, 500>;

impl<'de, const LEAST: i64, const MOST: i64> Deserialize<'de> for Within<LEAST, MOST> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(from)?;
        if (LEAST..=MOST).contains(&number) {
            return Ok(Self(number));
        }
        Err(D::Error::custom(format!("{number} is not from {LEAST} to {MOST}")))
    }
}

/// For the default in the schema.
impl<const LEAST: i64, const MOST: i64> Serialize for Within<LEAST, MOST> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i64(self.0)
    }
}

impl<const LEAST: i64, const MOST: i64> JsonSchema for Within<LEAST, MOST> {
    fn schema_name() -> Cow<'static, str> {
        format!("from_{LEAST}_to_{MOST}").into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

/// A length of time as ISO 8601 has it, days to seconds: PT5M, P1DT12H. At most 30 days.
#[derive(Debug, Clone, Copy)]
pub struct Period(pub Duration);

const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const PATTERN: &str = r"^P(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?$";

impl Period {
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }

    fn read(text: &str) -> Option<Duration> {
        // Of all that is understood elsewhere, this alone.
        let is_iso = text.starts_with('P')
            && text.bytes().all(|byte| matches!(byte, b'P' | b'T' | b'D' | b'H' | b'M' | b'S' | b'.' | b'0'..=b'9'));
        let months = text.split('T').next().is_some_and(|date| date.contains('M'));
        let span: Span = text.parse().ok().filter(|_| is_iso && !months)?;
        let length = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
        Duration::try_from(length).ok().filter(|length| !length.is_zero() && *length <= LONGEST)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let wrong = || {
            D::Error::custom(
                "write a positive ISO 8601 duration of days to seconds, such as PT5M or P1DT12H, at most P30D",
            )
        };
        Self::read(&text).map(Self).ok_or_else(wrong)
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let seconds = self.0.as_secs();
        match (seconds / 3600, seconds % 3600) {
            (hours, 0) if hours > 0 => to.serialize_str(&format!("PT{hours}H")),
            _ => to.serialize_str(&format!("PT{}M", seconds / 60)),
        }
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "period".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "duration", "pattern": PATTERN })
    }
}

fn fifty() -> Limit {
    Within(50)
}

fn hundred() -> Limit {
    Within(100)
}

fn none() -> Within<0, 10_000> {
    Within(0)
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
    #[serde(default = "hundred")]
    pub limit: Limit,
    /// How many newer jobs to pass over.
    #[serde(default = "none")]
    pub offset: Within<0, 10_000>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Statistics {
    /// Of how long ago until now, as an ISO 8601 duration.
    #[serde(default = "an_hour")]
    pub period: Period,
    /// How many rows.
    #[serde(default = "fifty")]
    pub limit: Limit,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Of how long ago until now, as an ISO 8601 duration.
    #[serde(default = "an_hour")]
    pub period: Period,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Failed {
    /// How many jobs.
    #[serde(default = "fifty")]
    pub limit: Limit,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Log {
    /// How many rows.
    #[serde(default = "hundred")]
    pub limit: Limit,
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
    /// Jobs that a worker has held for longer, as an ISO 8601 duration.
    #[serde(default = "five_minutes")]
    pub threshold: Period,
    /// How many jobs.
    #[serde(default = "fifty")]
    pub limit: Limit,
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
        let seconds = |text: &str| Period::read(text).map(|length| length.as_secs_f64());
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
        let limit = |text: &str| serde_json::from_str::<Failed>(text).map(|failed| failed.limit.0);
        assert_eq!(limit("{}").unwrap(), 50);
        assert_eq!(limit("{\"limit\":500}").unwrap(), 500);
        for wrong in ["{\"limit\":0}", "{\"limit\":501}", "{\"limit\":-9223372036854775808}"] {
            assert!(limit(wrong).unwrap_err().to_string().contains("is not from 1 to 500"), "{wrong}");
        }
        for wrong in
            ["{\"limit\":\"5\"}", "{\"limit\":1.5}", "{\"limits\":5}", "[]x", "{\"limit\":99999999999999999999}"]
        {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }
}
