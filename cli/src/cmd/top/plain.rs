//! The same without a terminal: tables for people, an object for programs.

use super::board::Board;
use super::line::bounded;
use super::pane::Pane;
use crate::cmd::Context;
use crate::output::{Row, count, grouped, line};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use pgqueuer_web::look::Tally;
use serde_json::{Map, Value, json};

/// Prints it. False where nobody reads any more.
pub fn print(context: &Context, board: &Board) -> bool {
    if context.output.json {
        return context.output.next("", &object(board));
    }
    line(&sentence(board));
    for pane in Pane::ALL {
        let rows = board.rows(pane).unwrap_or_default();
        let told: Vec<Row> = rows.iter().map(|row| told(row, board)).collect();
        line(&format!("\n{}", pane.name()));
        context.output.table(&told, pane.nothing());
    }
    context.output.next("", &Value::Null)
}

fn sentence(board: &Board) -> String {
    let hour = hour(board);
    let minutes = board.tallies();
    let last = minutes.iter().rev().nth(1).copied().flatten().unwrap_or_default();
    let mut text = format!(
        "{} in the last full minute, {} in the last hour: {} done, {} failed, {} canceled or deleted. {}.",
        count(last.jobs(), "job"),
        grouped(hour.jobs()),
        grouped(hour.done),
        grouped(hour.failed),
        grouped(hour.removed),
        count(board.seen.figures.workers, "worker"),
    );
    if minutes.iter().any(Option::is_none) {
        text.push_str(" Not all of the log could be read in time.");
    }
    if !board.seen.ills.is_empty() {
        text.push_str(&format!(" Not well: {}; pgq health says more.", board.seen.ills.join(", ")));
    }
    text
}

fn hour(board: &Board) -> Tally {
    let mut hour = Tally::default();
    board.tallies().iter().flatten().for_each(|minute| hour.add(minute));
    hour
}

/// A row as people read it: no column that only a program wants, a + where it was counted no further.
fn told(row: &Row, board: &Board) -> Row {
    const FOR_PROGRAMS: [&str; 7] =
        ["done_by_minute", "counted_to_a_bound", "paused", "full_name", "ticks", "late", "status"];
    let bounds = board.seen.figures.bounds;
    let mut told = row.clone();
    FOR_PROGRAMS.iter().for_each(|name| drop(told.shift_remove(*name)));
    for (name, bound) in [("due", bounds.due), ("deferred", bounds.deferred), ("failed", bounds.held)] {
        if let Some(number) = told.get(name).and_then(Value::as_i64).filter(|number| bound > 0 && *number >= bound) {
            told.insert(name.into(), bounded(number, bound).into());
        }
    }
    told
}

fn object(board: &Board) -> Value {
    let (seen, total) = (&board.seen, board.seen.figures.total());
    let minute = |(place, tally): (i64, Option<Tally>)| {
        json!({
            "minute": utc(minute_of(seen.at) - TimeDelta::minutes(59 - place)),
            "done": tally.map(|tally| tally.done),
            "failed": tally.map(|tally| tally.failed),
            "removed": tally.map(|tally| tally.removed),
            "again": tally.map(|tally| tally.again),
        })
    };
    let mut object = Map::new();
    object.insert("at".into(), utc(seen.at).into());
    object.insert(
        "total".into(),
        json!({
            "due": total.due,
            "deferred": total.deferred,
            "in_flight": total.in_flight,
            "failed": total.held,
            "oldest_seconds": (total.oldest > 0.0).then_some(total.oldest),
            "workers": seen.figures.workers,
            "waiting_sessions": seen.figures.waiting,
        }),
    );
    object.insert("problems".into(), seen.ills.clone().into());
    object.insert("throughput".into(), (0..).zip(board.tallies()).map(minute).collect());
    for (name, pane) in ["entrypoints", "in_flight", "failed", "workers", "schedules"].into_iter().zip(Pane::ALL) {
        let rows = board.rows(pane).unwrap_or_default();
        object.insert(name.into(), rows.iter().cloned().map(Value::Object).collect());
    }
    Value::Object(object)
}

fn utc(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn minute_of(time: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp(time.timestamp().div_euclid(60) * 60, 0).unwrap_or(time)
}
