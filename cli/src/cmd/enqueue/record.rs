//! One job of a file.

use crate::time::{Length, instant};
use pgqueuer_client::{NewJob, OnConflict};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The names of what a job may have: keys of a line of JSON, columns of a CSV file.
pub const NAMES: [&str; 9] = [
    "entrypoint",
    "payload",
    "payload_hex",
    "priority",
    "execute_after",
    "delay",
    "dedupe_key",
    "headers",
    "ordering_key",
];

/// As it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Record<'a> {
    pub entrypoint: Option<String>,
    /// A text counts as what it says, everything else as JSON.
    #[serde(borrow)]
    pub payload: Option<&'a RawValue>,
    pub payload_hex: Option<String>,
    pub priority: i32,
    pub execute_after: Option<String>,
    pub delay: Option<String>,
    pub dedupe_key: Option<String>,
    pub headers: Map<String, Value>,
    pub ordering_key: Option<String>,
}

/// What holds for all jobs of a file.
#[derive(Debug, Clone)]
pub struct Defaults {
    /// Goes before every name.
    pub prefix: String,
    /// That of jobs which name none, with its prefix.
    pub entrypoint: Option<String>,
    pub on_conflict: OnConflict,
}

impl Defaults {
    /// A line of JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_json(&self, line: &[u8]) -> Result<NewJob, String> {
        let line = std::str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
        let record: Record = serde_json::from_str(line).map_err(|error| format!("it is no job in JSON: {error}"))?;
        let payload = record.payload.map(|payload| match serde_json::from_str::<Value>(payload.get()) {
            Ok(Value::String(text)) => text.into_bytes(),
            _ => payload.get().as_bytes().to_vec(),
        });
        self.job(record, payload)
    }

    /// A row of a CSV file; an empty field is as good as none.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of_csv(&self, fields: HashMap<&str, &str>) -> Result<NewJob, String> {
        let text = |name: &str| fields.get(name).filter(|text| !text.is_empty()).map(|text| (*text).to_owned());
        let priority =
            text("priority").map(|text| text.parse().map_err(|_| format!("priority is no whole number: {text}")));
        let headers = text("headers")
            .map(|text| serde_json::from_str(&text).map_err(|error| format!("headers is no JSON object: {error}")));
        let record = Record {
            entrypoint: text("entrypoint"),
            payload: None,
            payload_hex: text("payload_hex"),
            priority: priority.transpose()?.unwrap_or(0),
            execute_after: text("execute_after"),
            delay: text("delay"),
            dedupe_key: text("dedupe_key"),
            headers: headers.transpose()?.unwrap_or_default(),
            ordering_key: text("ordering_key"),
        };
        self.job(record, text("payload").map(String::into_bytes))
    }

    fn job(&self, record: Record<'_>, payload: Option<Vec<u8>>) -> Result<NewJob, String> {
        let named = record.entrypoint.map(|name| format!("{}{name}", self.prefix));
        let entrypoint = named.or_else(|| self.entrypoint.clone()).ok_or("it names no entrypoint")?;
        let mut job = NewJob::new(entrypoint).priority(record.priority).on_conflict(self.on_conflict);
        match (payload, record.payload_hex) {
            (Some(_), Some(_)) => return Err("it has both payload and payload_hex".into()),
            (Some(payload), None) => job = job.payload(payload),
            (None, Some(hex)) => job = job.payload(bytes_of(&hex).ok_or("payload_hex is no hexadecimal")?),
            (None, None) => {}
        }
        match (record.execute_after, record.delay) {
            (Some(_), Some(_)) => return Err("it has both execute_after and delay".into()),
            (Some(at), None) => {
                let at = instant(&at).ok_or("execute_after is no time such as 2026-07-01T09:00:00+02:00")?;
                job = job.execute_after(at);
            }
            (None, Some(delay)) => {
                job = job.delay(delay.parse::<Length>().map_err(|wrong| format!("delay: {wrong}"))?.0)
            }
            (None, None) => {}
        }
        if let Some(key) = record.dedupe_key {
            job = job.dedupe_key(key);
        }
        if let Some(key) = record.ordering_key {
            job = job.ordering_key(key);
        }
        Ok(record.headers.into_iter().fold(job, |job, (name, value)| job.header(name, value)))
    }
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let hex = hex.strip_prefix("\\x").unwrap_or(hex);
    let digits: Option<Vec<u32>> = hex.chars().map(|char| char.to_digit(16)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    digits.chunks(2).map(|pair| u8::try_from(pair.iter().fold(0, |byte, digit| byte * 16 + digit)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn defaults() -> Defaults {
        Defaults { prefix: "a/".into(), entrypoint: None, on_conflict: OnConflict::Raise }
    }

    fn of_json(line: &str) -> Result<NewJob, String> {
        defaults().of_json(line.as_bytes())
    }

    #[test]
    fn a_text_is_what_it_says_and_json_is_as_it_was_written() {
        assert_eq!(of_json(r#"{"entrypoint":"e","payload":"a\"b"}"#), Ok(NewJob::new("a/e").payload("a\"b")));
        let exact = r#"{"n": 12345678901234567890123, "n": 1}"#;
        assert_eq!(
            of_json(&format!(r#"{{"entrypoint":"e","payload":{exact}}}"#)),
            Ok(NewJob::new("a/e").payload(exact))
        );
        assert_eq!(of_json(r#"{"entrypoint":"e","payload":null}"#), Ok(NewJob::new("a/e")));
    }

    #[test]
    fn csv_has_the_same_names() {
        let fields = [
            ("entrypoint", "e"),
            ("payload_hex", "00fF"),
            ("delay", "5 s"),
            ("headers", "{\"a\":1}"),
            ("priority", ""),
        ];
        let job = NewJob::new("a/e").payload([0, 255]).delay(Duration::from_secs(5)).header("a", 1);
        assert_eq!(defaults().of_csv(fields.into()), Ok(job));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let wrong = [
            (r#"{"payload":1}"#, "names no entrypoint"),
            (r#"{"entrypoint":"e","prioritty":1}"#, "prioritty"),
            (r#"{"entrypoint":"e","priority":"x"}"#, "i32"),
            (r#"{"entrypoint":"e","delay":"soon"}"#, "delay"),
            (r#"{"entrypoint":"e","delay":"1 s","execute_after":"2026-01-01"}"#, "both"),
            (r#"{"entrypoint":"e","execute_after":"soon"}"#, "execute_after"),
            (r#"{"entrypoint":"e","payload_hex":"0"}"#, "payload_hex"),
            (r#"{"entrypoint":"e","headers":[]}"#, "map"),
            ("[]x", "no job in JSON"),
        ];
        for (line, says) in wrong {
            let error = of_json(line).unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
    }
}
