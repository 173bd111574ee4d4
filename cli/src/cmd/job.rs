//! `pgq job`: everything known of a job.

use super::Context;
use crate::error::{Error, Result};
use crate::output::{Answer, Row, line};
use crate::query;
use crate::sql;
use crate::text::{harmless, harmless_lines};
use pgqueuer_client::Error as Refused;
use serde_json::Value;
use std::io::Write;
use tokio_postgres::types::Type;

/// So many characters of a payload are shown.
const SHOWN: usize = 4000;

/// Which job.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq job 7\n  pgq job 7 --json\n  pgq job 7 --payload > payload.bin\n\n\
                        Shows its row, payload, headers, attempts, and why it is not running. Exit code 1 where no such job is known.")]
pub struct Args {
    /// Its id
    id: i64,
    /// Only the payload of a live job, byte for byte
    #[arg(long, conflicts_with = "json")]
    payload: bool,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    if args.payload {
        return payload(context, args.id).await;
    }
    let parameters: [query::Parameter; 2] = [(&args.id, Type::INT8), (&context.global.prefix, Type::TEXT)];
    let mut rows = query::look(&context.queue, sql!("job"), &parameters).await?;
    let Some(job) = rows.pop() else {
        eprintln!("pgq: no job {} is known", args.id);
        return Ok(Answer::No);
    };
    if context.output.json {
        context.output.one(&job);
    } else {
        show(context, job);
    }
    Ok(Answer::Yes)
}

/// The row, then in sections what has several lines.
fn show(context: &Context, mut job: Row) {
    let mut take = |name: &str| job.shift_remove(name).unwrap_or(Value::Null);
    let (payload, kind, headers) = (take("payload"), take("payload_kind"), take("headers"));
    let (log, explain) = (take("log"), take("explain"));
    context.output.one(&job);
    if let Some(sentence) = explain.as_str() {
        line(&format!("\n{}", harmless(sentence)));
    }
    if let Some(payload) = payload.as_str() {
        line(&format!(
            "\nPayload ({}):\n{}",
            kind.as_str().unwrap_or_default(),
            beginning(&shown_payload(payload, &kind))
        ));
    }
    if let Some(headers) = headers.as_object() {
        line("\nHeaders:");
        context.output.one(headers);
    }
    if let Some(log) = log.as_array().filter(|log| !log.is_empty()) {
        let log: Vec<Row> = log.iter().filter_map(Value::as_object).cloned().collect();
        line("\nAttempts:");
        context.output.table(&log, "");
    }
}

/// JSON with a line for each of its parts; as it is where that would change it.
fn shown_payload(payload: &str, kind: &Value) -> String {
    if kind == "json" && payload.len() <= SHOWN {
        let pretty = serde_json::from_str::<Value>(payload).and_then(|value| {
            let same = value.to_string().len() == payload.split_whitespace().map(str::len).sum::<usize>();
            if same { serde_json::to_string_pretty(&value) } else { Ok(payload.to_owned()) }
        });
        return pretty.unwrap_or_else(|_| payload.to_owned());
    }
    payload.to_owned()
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        None => harmless_lines(text).into_owned(),
        Some((end, _)) => {
            let beginning = harmless_lines(text.get(..end).unwrap_or_default());
            format!("{beginning}…\n({} characters; pgq job ID --payload has all of it)", text.chars().count())
        }
    }
}

async fn payload(context: &Context, id: i64) -> Result<Answer> {
    let client = context.queue.pool().get().await.map_err(Refused::from)?;
    let rows = client.query_typed(sql!("payload"), &[(&id, Type::INT8)]).await.map_err(Refused::from)?;
    let Some(row) = rows.first() else {
        eprintln!("pgq: no job {id} lives");
        return Ok(Answer::No);
    };
    let payload: Option<&[u8]> = row.try_get(0).map_err(Refused::from)?;
    let written = std::io::stdout().write_all(payload.unwrap_or_default());
    written.map_err(|source| Error::System { what: "the payload cannot be written".into(), source })?;
    Ok(Answer::Yes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_is_shown_line_by_line_unless_that_would_change_it() {
        let shown = |payload: &str| shown_payload(payload, &json!("json"));
        assert_eq!(shown(r#"{"a":1}"#), "{\n  \"a\": 1\n}");
        let exact = r#"{"a":12345678901234567890123}"#;
        assert_eq!(shown(exact), exact);
    }

    #[test]
    fn a_great_payload_is_shown_by_its_beginning() {
        let text = beginning(&"ü\x1b".repeat(10_000));
        assert!(text.len() < 60_000 && !text.contains('\x1b') && text.contains("20000 characters"));
    }
}
