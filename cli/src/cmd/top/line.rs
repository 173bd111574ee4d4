//! A row of a list as it is shown: harmless text, and what it is sorted by.

use super::board::Board;
use super::pane::{Column, Kind, Pane};
use crate::output::{Row, grouped, length};
use crate::text::harmless;
use chrono::{DateTime, Utc};
use serde_json::Value;
use std::cmp::Ordering;

/// A value as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    pub text: String,
    order: Order,
}

#[derive(Debug, Clone, PartialEq)]
enum Order {
    Number(f64),
    Text(String),
    /// Comes last, whichever way it is sorted.
    Nothing,
}

/// A row as it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Line<'a> {
    pub cells: Vec<Cell>,
    pub row: &'a Row,
    /// See [`Pane::identity`].
    pub identity: String,
}

/// How a list is sorted: by which of its columns, and whether the greatest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    pub column: usize,
    pub falling: bool,
}

/// The lines of a list that fit the filter, in their order; none where they have not been fetched.
pub fn lines<'a>(board: &'a Board, pane: Pane, filter: &str, sort: Option<Sort>) -> Option<Vec<Line<'a>>> {
    let now = board.seen.at;
    let rows = board.rows(pane)?.iter().filter(|row| has(row, filter));
    let mut lines: Vec<Line<'a>> = rows.map(|row| line(row, pane, board, now)).collect();
    if let Some(sort) = sort {
        lines.sort_by(|one, other| compare(one.cells.get(sort.column), other.cells.get(sort.column), sort.falling));
    }
    Some(lines)
}

fn line<'a>(row: &'a Row, pane: Pane, board: &Board, now: DateTime<Utc>) -> Line<'a> {
    let cells = pane.columns().iter().map(|column| cell(row, *column, board, now)).collect();
    let identity = row.get(pane.identity()).map(Value::to_string).unwrap_or_default();
    Line { cells, row, identity }
}

/// Names are what is looked through.
fn has(row: &Row, filter: &str) -> bool {
    let text = |key: &str| row.get(key).and_then(Value::as_str).is_some_and(|text| fits(text, filter));
    let in_many = || {
        let many = row.get("entrypoints").and_then(Value::as_array);
        many.is_some_and(|many| many.iter().filter_map(Value::as_str).any(|text| fits(text, filter)))
    };
    filter.is_empty() || ["entrypoint", "name", "worker", "application"].into_iter().any(text) || in_many()
}

/// Whether a name has this in it, in small letters or capitals.
pub fn fits(name: &str, filter: &str) -> bool {
    name.to_lowercase().contains(&filter.to_lowercase())
}

fn cell(row: &Row, column: Column, board: &Board, now: DateTime<Utc>) -> Cell {
    let value = row.get(column.key).unwrap_or(&Value::Null);
    let bounds = board.seen.figures.bounds;
    let text = match (column.kind, value) {
        (_, Value::Null) => String::new(),
        (Kind::Bounded, value) => {
            let bound = match column.key {
                "due" => bounds.due,
                "deferred" => bounds.deferred,
                _ => bounds.held,
            };
            bounded(value.as_i64().unwrap_or_default(), bound)
        }
        (Kind::OfLimit, value) => match row.get("limit").and_then(Value::as_i64) {
            Some(limit) => format!("{}/{}", grouped(value.as_i64().unwrap_or_default()), grouped(limit)),
            None => grouped(value.as_i64().unwrap_or_default()),
        },
        (Kind::Length, value) => length(value.as_f64().unwrap_or_default()),
        (Kind::Since, value) => told(value, |time| length(seconds(now, time))),
        (Kind::When, value) => told(value, |time| when(seconds(now, time))),
        (Kind::Hour, Value::Array(minutes)) => small_bars(minutes),
        // An id is a name: it has no commas.
        (Kind::Number, value) if matches!(column.key, "id" | "pid" | "last_job") => value.to_string(),
        (Kind::Number, value) => grouped(value.as_i64().unwrap_or_default()),
        (_, Value::String(text)) if matches!(column.key, "error" | "payload_start") => one_line(text),
        (_, Value::String(text)) => harmless(text).into_owned(),
        (_, Value::Array(texts)) => {
            harmless(&texts.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", ")).into_owned()
        }
        (_, other) => harmless(&other.to_string()).into_owned(),
    };
    Cell { text, order: order(value, column.kind) }
}

fn order(value: &Value, kind: Kind) -> Order {
    match (kind, value) {
        (_, Value::Null) => Order::Nothing,
        // A job that runs for long was picked early.
        (Kind::Since, Value::String(text)) => {
            time(text).map_or(Order::Nothing, |time| Order::Number(-(time.timestamp_micros() as f64)))
        }
        (Kind::When, Value::String(text)) => {
            time(text).map_or(Order::Nothing, |time| Order::Number(time.timestamp_micros() as f64))
        }
        (Kind::Hour, Value::Array(minutes)) => Order::Number(minutes.iter().filter_map(Value::as_f64).sum()),
        (_, Value::String(text)) => Order::Text(text.to_lowercase()),
        (_, Value::Number(number)) => Order::Number(number.as_f64().unwrap_or_default()),
        (_, other) => Order::Text(other.to_string()),
    }
}

fn compare(one: Option<&Cell>, other: Option<&Cell>, falling: bool) -> Ordering {
    let order = |cell: Option<&Cell>| cell.map_or(Order::Nothing, |cell| cell.order.clone());
    let rising = match (order(one), order(other)) {
        (Order::Nothing, Order::Nothing) => return Ordering::Equal,
        (Order::Nothing, _) => return Ordering::Greater,
        (_, Order::Nothing) => return Ordering::Less,
        (Order::Number(one), Order::Number(other)) => one.total_cmp(&other),
        (Order::Text(one), Order::Text(other)) => one.cmp(&other),
        (Order::Number(_), Order::Text(_)) => Ordering::Less,
        (Order::Text(_), Order::Number(_)) => Ordering::Greater,
    };
    if falling { rising.reverse() } else { rising }
}

/// A long text on one line: nothing in it that a terminal obeys, runs of white space as one blank.
fn one_line(text: &str) -> String {
    harmless(&text.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// A time; what only the database knows (`infinity`) as it stands there.
fn told(value: &Value, tell: impl Fn(DateTime<Utc>) -> String) -> String {
    match value.as_str() {
        Some(text) => time(text).map_or_else(|| if text == "infinity" { "never".into() } else { one_line(text) }, tell),
        None => String::new(),
    }
}

fn time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(Into::into)
}

fn seconds(now: DateTime<Utc>, then: DateTime<Utc>) -> f64 {
    (now - then).num_milliseconds() as f64 / 1000.0
}

fn when(passed: f64) -> String {
    match passed {
        ..=-0.5 => format!("in {}", length(passed.abs().round())),
        ..1.0 => "now".to_owned(),
        _ => format!("{} ago", length(passed.round())),
    }
}

/// `8,300+` where it was counted no further.
pub fn bounded(number: i64, bound: i64) -> String {
    let more = if bound > 0 && number >= bound { "+" } else { "" };
    format!("{}{more}", grouped(number))
}

/// A bar for two minutes, so that an hour takes thirty columns.
fn small_bars(minutes: &[Value]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let pairs = minutes.chunks(2).map(|pair| pair.iter().filter_map(Value::as_i64).sum::<i64>());
    let pairs: Vec<i64> = pairs.collect();
    let most = pairs.iter().copied().max().unwrap_or(0);
    let bar = |number: &i64| match (number, most) {
        (0, _) => ' ',
        (number, most) => BARS.get(usize::try_from((number * 8 - 1) / most).unwrap_or(0)).copied().unwrap_or('█'),
    };
    pairs.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_hour_is_thirty_small_bars() {
        let minutes: Vec<Value> = (0..60).map(|minute| json!(minute)).collect();
        let bars = small_bars(&minutes);
        assert_eq!((bars.chars().count(), bars.chars().next(), bars.chars().last()), (30, Some('▁'), Some('█')));
        assert_eq!(small_bars(&[json!(null), json!(0)]), " ");
    }

    #[test]
    fn nothing_comes_last_whichever_way_it_is_sorted() {
        let cell = |order| Some(Cell { text: String::new(), order });
        let (one, nothing) = (cell(Order::Number(1.0)), cell(Order::Nothing));
        for falling in [false, true] {
            assert_eq!(compare(one.as_ref(), nothing.as_ref(), falling), Ordering::Less);
        }
        let two = cell(Order::Number(2.0));
        assert_eq!(compare(one.as_ref(), two.as_ref(), false), Ordering::Less);
        assert_eq!(compare(one.as_ref(), two.as_ref(), true), Ordering::Greater);
    }

    #[test]
    fn times_are_told_from_now() {
        assert_eq!(
            [when(-90.2), when(0.3), when(-0.2), when(3700.0)],
            ["in 1 min 30 s", "now", "now", "1 h 1 min ago"]
        );
    }

    #[test]
    fn hostile_text_is_one_harmless_line() {
        assert_eq!(one_line("a\n\tb \x1b[2J\u{202e}"), "a b \\u{1b}[2J\\u{202e}");
    }
}
