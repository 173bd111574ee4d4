//! Entrypoints: what waits at each, how fast it goes, and a switch to stop it.

use super::overview::{Backlog, backlog};
use crate::app::Shared;
use crate::chart::{self, Line};
use crate::failure::Result;
use crate::figures::{Entrypoint, Histogram};
use crate::frame::{Frame, page};
use crate::hour::Tally;
use crate::page::{encoded, given};
use crate::show;
use crate::snapshot::Snapshot;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

/// How many a page has.
const PAGE: usize = 100;
const LINE: i64 = 24;

#[derive(Deserialize)]
pub struct Filter {
    /// A part of the name.
    name: Option<String>,
    after: Option<String>,
}

pub struct Row {
    pub backlog: Backlog,
    pub line: Line,
    pub done: String,
    pub failed: String,
    pub wait: String,
    pub run: String,
}

#[derive(Template)]
#[template(path = "entrypoints.html")]
struct Entrypoints {
    frame: Frame,
    filter: String,
    rows: Vec<Row>,
    next: Option<String>,
    known: usize,
}

pub async fn show(State(app): State<Shared>, frame: Frame, Query(filter): Query<Filter>) -> Result<Response> {
    let snapshot = app.snapshot().await?;
    let part = given(filter.name.as_ref()).unwrap_or_default().to_owned();
    let after = filter.after.unwrap_or_default();
    let named = snapshot.figures.entrypoints.iter().filter_map(|(full, one)| Some((full, app.short(full)?, one)));
    let mut wanted = named.filter(|(_, name, _)| name.contains(&part) && *name > after.as_str());
    let mut rows = vec![];
    let mut last = String::new();
    for (full, name, one) in wanted.by_ref().take(PAGE) {
        name.clone_into(&mut last);
        rows.push(row(&snapshot, full, name, one));
    }
    let next =
        wanted.next().map(|_| format!("{}/entrypoints?name={}&after={}", frame.base, encoded(&part), encoded(&last)));
    page(&Entrypoints { frame, filter: part, rows, next, known: snapshot.figures.entrypoints.len() })
}

pub fn row(snapshot: &Snapshot, full: &str, name: &str, one: &Entrypoint) -> Row {
    let tallies = chart::tallies(&snapshot.minutes, Some(full));
    let values: Vec<Option<f64>> = tallies.iter().map(|tally| tally.map(|tally| tally.jobs() as f64)).collect();
    let mut sum = Tally::default();
    tallies.iter().flatten().for_each(|tally| sum.add(tally));
    Row {
        backlog: backlog(name, one, snapshot.figures.bounds, 0),
        line: chart::line(&values, LINE),
        done: show::count(sum.done),
        failed: share(sum.failed, sum.done + sum.failed),
        wait: within(&one.wait),
        run: within(&one.run),
    }
}

/// `2.5 %` of them; nothing where there are none.
fn share(part: i64, whole: i64) -> String {
    match (part, whole) {
        (_, 0) => String::new(),
        (0, _) => "0 %".to_owned(),
        _ => format!("{:.1} %", part as f64 * 100.0 / whole as f64),
    }
}

/// Within what time 95 of 100 were.
fn within(histogram: &Histogram) -> String {
    match histogram.below(0.95) {
        None => String::new(),
        Some(bound) if bound.is_finite() => format!("≤ {}", show::seconds(bound)),
        Some(_) => "> 1 h".to_owned(),
    }
}
