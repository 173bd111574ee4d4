//! The overview: what somebody sees who leaves it open all day.

use crate::app::Shared;
use crate::chart::{self, Bars, Line};
use crate::failure::Result;
use crate::figures::{Bounds, Entrypoint, Figures};
use crate::frame::{Frame, page};
use crate::history::Sample;
use crate::hour::Tally;
use crate::page::encoded;
use crate::show;
use crate::snapshot::Snapshot;
use askama::Template;
use axum::extract::State;
use axum::response::Response;

/// A figure with its last hour.
struct Tile {
    name: &'static str,
    value: String,
    note: String,
    line: Line,
    /// Where it means something: `bad`, `warn`.
    class: &'static str,
    path: &'static str,
}

/// An entrypoint's share of the backlog.
pub struct Backlog {
    pub name: String,
    pub link: String,
    pub due: String,
    /// Width of its bar, of 100.
    pub width: i64,
    pub deferred: String,
    pub in_flight: String,
    pub held: String,
    pub paused: bool,
    pub oldest: String,
}

#[derive(Template)]
#[template(path = "overview.html")]
struct Overview {
    frame: Frame,
    tiles: Vec<Tile>,
    throughput: Bars,
    failures: Bars,
    backlog: Vec<Backlog>,
    more: usize,
    ills: usize,
    held: String,
    /// An estimate, where not all could be counted.
    rows: Option<String>,
    standby: bool,
    preloaded: bool,
}

/// How many entrypoints are shown here; the page of entrypoints has all.
const SHOWN: usize = 12;
/// The height of a tile's line.
const LINE: i64 = 36;
/// A job that has been due for so many seconds makes one look.
const LATE: f64 = 900.0;

pub async fn show(State(app): State<Shared>, frame: Frame) -> Result<Response> {
    let snapshot = app.snapshot().await?;
    let figures = &snapshot.figures;
    let tallies = chart::tallies(&snapshot.minutes, None);
    let mut named: Vec<(&String, &Entrypoint)> = figures.entrypoints.iter().collect();
    named.sort_by_key(|(name, one)| (std::cmp::Reverse((one.due, one.in_flight, one.held)), name.as_str()));
    let most = named.first().map_or(0, |(_, one)| one.due);
    let shown = named.iter().take(SHOWN);
    let backlog = shown.filter_map(|(name, one)| Some(backlog(app.short(name)?, one, figures.bounds, most)));
    // All rows of the table are not those of a prefix.
    let beyond = app.options.prefix.is_empty() && figures.beyond(|one| one.due, figures.bounds.due);
    page(&Overview {
        tiles: tiles(&snapshot, &tallies),
        throughput: chart::throughput(&tallies),
        failures: chart::failures(&tallies),
        backlog: backlog.collect(),
        more: named.len().saturating_sub(SHOWN),
        ills: snapshot.ills(),
        held: held(figures),
        rows: beyond.then(|| show::count(figures.rows)),
        standby: figures.standby,
        preloaded: figures.preloaded,
        frame,
    })
}

fn held(figures: &Figures) -> String {
    let total = figures.total().held;
    show::bounded(total, bound(figures, |one| one.held, figures.bounds.held, total))
}

/// A sum is a bound itself where one of its parts reached its own.
fn bound(figures: &Figures, of: impl Fn(&Entrypoint) -> i64, bound: i64, total: i64) -> i64 {
    if figures.beyond(of, bound) { total } else { 0 }
}

pub fn backlog(name: &str, one: &Entrypoint, bounds: Bounds, most: i64) -> Backlog {
    Backlog {
        name: show::visible(name).into_owned(),
        link: encoded(name),
        due: show::bounded(one.due, bounds.due),
        width: if most > 0 { one.due * 100 / most } else { 0 },
        deferred: show::bounded(one.deferred, bounds.deferred),
        in_flight: match one.limit {
            0 => show::count(one.in_flight),
            limit => format!("{} of {}", show::count(one.in_flight), show::count(limit)),
        },
        held: show::bounded(one.held, bounds.held),
        paused: one.paused,
        oldest: if one.oldest > 0.0 { show::seconds(one.oldest) } else { String::new() },
    }
}

fn tiles(snapshot: &Snapshot, tallies: &[Option<Tally>]) -> Vec<Tile> {
    let figures = &snapshot.figures;
    let total = figures.total();
    let line = |of: fn(&Sample) -> f64| {
        let values: Vec<Option<f64>> = snapshot.samples.iter().map(|sample| sample.as_ref().map(of)).collect();
        chart::line(&values, LINE)
    };
    let tile = |name, value, note, line, class, path| Tile { name, value, note, line, class, path };
    let due = show::bounded(total.due, bound(figures, |one| one.due, figures.bounds.due, total.due));
    let deferred = bound(figures, |one| one.deferred, figures.bounds.deferred, total.deferred);
    let later = format!("{} more for later", show::bounded(total.deferred, deferred));
    let late = if total.oldest > LATE { "warn" } else { "" };
    let oldest = if total.oldest > 0.0 { show::seconds(total.oldest) } else { "–".to_owned() };
    let workers = format!("{} workers, {} sessions wait", show::count(figures.workers), show::count(figures.waiting));
    let bad = if total.held > 0 { "bad" } else { "" };
    vec![
        ended(tallies),
        tile("Waiting", due, later, line(|sample| sample.due as f64), "", "/jobs?status=queued"),
        tile(
            "In flight",
            show::count(total.in_flight),
            workers,
            line(|s| s.in_flight as f64),
            "",
            "/jobs?status=picked",
        ),
        tile("Oldest due", oldest, "waits for a worker".to_owned(), line(|sample| sample.oldest), late, "/entrypoints"),
        tile("Failed", held(figures), "held until you decide".to_owned(), line(|s| s.held as f64), bad, "/failures"),
    ]
}

/// How many jobs ended in the last minute that is over.
fn ended(tallies: &[Option<Tally>]) -> Tile {
    let mut values: Vec<Option<f64>> = tallies.iter().map(|tally| tally.map(|tally| tally.done as f64)).collect();
    // This minute is not over: it would look like a fall.
    values.pop();
    let last = tallies.iter().rev().nth(1).copied().flatten().unwrap_or_default();
    let hour: i64 = tallies.iter().flatten().map(|tally| tally.done).sum();
    Tile {
        name: "Done per minute",
        value: show::count(last.done),
        note: format!("{} in the last hour", show::count(hour)),
        line: chart::line(&values, LINE),
        class: "",
        path: "/entrypoints",
    }
}
