//! `pgq backlog`: what waits, by entrypoint, and why.
//!
//! The numbers are those of `pgq.metrics()`, which counts up to a bound: a long queue is told as fast as a short one.

use super::Context;
use crate::error::Result;
use crate::output::{Answer, Row, length};
use crate::query;
use crate::sql;
use pgqueuer_web::metrics::{Sample, samples};
use serde_json::Value;
use std::collections::BTreeMap;
use tokio_postgres::types::Type;

/// Which entrypoints.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq backlog\n  pgq backlog mail\n\n\
                        due: can be claimed now. deferred: has its time still to come, or waits to be tried again. wait: for how \
                        long the oldest due job has been due. Numbers are counted up to a bound, shown with a +.")]
pub struct Args {
    /// Only of these
    entrypoints: Vec<String>,
}

/// What is told of an entrypoint, by the names of its metrics.
type Numbers = BTreeMap<String, f64>;

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let page: String = query::value(&context.queue, sql!("metrics"), &[]).await?;
    let parameters: [query::Parameter; 2] =
        [(&None::<Vec<String>>, Type::TEXT_ARRAY), (&context.global.prefix, Type::TEXT)];
    let settings = query::look(&context.queue, sql!("settings"), &parameters).await?;
    let samples: Vec<Sample> = samples(&page).collect();
    let bounds = by_label(&samples, "of");
    let mut rows = vec![];
    for (name, numbers) in by_label(&samples, "entrypoint") {
        let Some(name) = name.strip_prefix(&context.global.prefix) else { continue };
        if args.entrypoints.is_empty() || args.entrypoints.iter().any(|asked| asked == name) {
            let settings = settings.iter().find(|row| row.get("entrypoint").and_then(Value::as_str) == Some(name));
            rows.extend(Line { name, numbers: &numbers, bounds: &bounds, settings }.row(context.output.json));
        }
    }
    rows.sort_by_key(|row| std::cmp::Reverse(row.get("wait_seconds").and_then(Value::as_f64).map(f64::to_bits)));
    context.output.rows(&rows, "Nothing waits.");
    Ok(Answer::Yes)
}

fn by_label(samples: &[Sample], label: &str) -> BTreeMap<String, Numbers> {
    let mut all: BTreeMap<String, Numbers> = BTreeMap::new();
    for sample in samples.iter().filter(|sample| sample.labels.len() == 1) {
        if let Some(value) = sample.labels.get(label) {
            all.entry(value.clone()).or_default().insert(sample.name.to_owned(), sample.value);
        }
    }
    all
}

struct Line<'a> {
    name: &'a str,
    numbers: &'a Numbers,
    bounds: &'a BTreeMap<String, Numbers>,
    settings: Option<&'a Row>,
}

impl Line<'_> {
    /// None for an entrypoint of which there is nothing to tell.
    fn row(&self, json: bool) -> Option<Row> {
        let [due, deferred, held, picked] =
            ["due", "deferred", "held", "in_flight"].map(|of| self.number(&format!("pgqueuer_{of}_jobs")));
        if due + deferred + held + picked == 0 && !self.is_paused() {
            return None;
        }
        let (more_due, more_deferred, more_held) =
            (self.is_bound("due", due), self.is_bound("deferred", deferred), self.is_bound("held", held));
        let told = |number: i64, more: bool| match (json, more) {
            (false, true) => Value::from(format!("{number}+")),
            _ => Value::from(number),
        };
        let mut row = Row::new();
        row.insert("entrypoint".into(), self.name.into());
        row.insert("queued".into(), told(due + deferred, more_due || more_deferred));
        row.insert("due".into(), told(due, more_due));
        row.insert("deferred".into(), told(deferred, more_deferred));
        row.insert("picked".into(), picked.into());
        row.insert("failed".into(), told(held, more_held));
        let wait = self.numbers.get("pgqueuer_oldest_due_job_age_seconds").copied().filter(|_| due > 0);
        row.insert("wait_seconds".into(), wait.map_or(Value::Null, Value::from));
        row.insert("why".into(), self.why(due, picked).map_or(Value::Null, Value::from));
        if json {
            row.insert("counted_to_a_bound".into(), (more_due || more_deferred || more_held).into());
        }
        Some(row)
    }

    #[allow(clippy::cast_possible_truncation, reason = "what is counted is a whole number, and not that great")]
    fn number(&self, name: &str) -> i64 {
        self.numbers.get(name).copied().unwrap_or_default() as i64
    }

    #[allow(clippy::cast_precision_loss, reason = "bounds are small")]
    fn is_bound(&self, of: &str, number: i64) -> bool {
        let bound = self.bounds.get(of).and_then(|bounds| bounds.get("pgqueuer_count_limit_jobs"));
        bound.is_some_and(|bound| number as f64 >= *bound)
    }

    fn is_paused(&self) -> bool {
        self.number("pgqueuer_paused") == 1
    }

    /// What keeps due jobs from being handed out.
    fn why(&self, due: i64, picked: i64) -> Option<String> {
        let limit = self.number("pgqueuer_concurrency_limit_jobs");
        let of = |name: &str| self.settings.and_then(|row| row.get(name)).and_then(Value::as_f64).unwrap_or_default();
        if self.is_paused() {
            Some("paused: pgq resume".into())
        } else if due == 0 {
            None
        } else if limit > 0 && picked >= limit {
            Some(format!("its limit of {limit} is reached"))
        } else if of("rate_limit") > 0.0 {
            Some(format!("at most {} in {}", of("rate_limit"), length(of("rate_period_seconds"))))
        } else if picked == 0 {
            Some("no worker has one: does any run?".into())
        } else {
            Some("workers are busy".into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_number_at_its_bound_is_told_with_a_plus() {
        let page = "pgqueuer_due_jobs{entrypoint=\"a\"} 10000\npgqueuer_count_limit_jobs{of=\"due\"} 10000\n";
        let samples: Vec<Sample> = samples(page).collect();
        let (numbers, bounds) = (by_label(&samples, "entrypoint"), by_label(&samples, "of"));
        let line = Line { name: "a", numbers: &numbers["a"], bounds: &bounds, settings: None };
        assert_eq!(line.row(false).unwrap()["due"], json!("10000+"));
        assert_eq!(line.row(true).unwrap()["due"], json!(10000));
        assert_eq!(line.row(true).unwrap()["counted_to_a_bound"], json!(true));
    }
}
