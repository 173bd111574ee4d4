//! Schedules: when each ticks next.

use crate::app::{App, Shared};
use crate::failure::Result;
use crate::frame::{Frame, page};
use crate::page::encoded;
use crate::read::rows;
use crate::show::Moment;
use crate::sql;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::Type;

/// How many a page has.
const PAGE: usize = 100;

#[derive(Deserialize)]
pub struct Place {
    after: Option<String>,
}

/// A row of `schedules.sql`.
#[derive(Deserialize)]
struct Schedule {
    name: String,
    cron: String,
    timezone: String,
    entrypoint: String,
    enabled: bool,
    next_tick: Option<Moment>,
    last_tick: Option<Moment>,
    last_job: Option<i64>,
    note: Option<String>,
    late: Option<bool>,
    catch_up: String,
    overlap: bool,
    ticks: Vec<Moment>,
}

#[derive(Template)]
#[template(path = "schedules.html")]
struct Schedules {
    frame: Frame,
    schedules: Vec<Schedule>,
    next: Option<String>,
}

pub async fn show(State(app): State<Shared>, frame: Frame, Query(place): Query<Place>) -> Result<Response> {
    let after = place.after.unwrap_or_default();
    let mut lent = app.lend().await?;
    let mut schedules: Vec<Schedule> = schedules(&lent.read().await?, &app, &after, PAGE as i64 + 1).await?;
    let is_full = schedules.len() > PAGE;
    schedules.truncate(PAGE);
    let last = schedules.last().filter(|_| is_full);
    let next = last.map(|last| format!("{}/schedules?after={}", frame.base, encoded(&last.name)));
    page(&Schedules { frame, schedules, next })
}

/// Schedules by name, from the one after this on.
pub async fn schedules<T: DeserializeOwned>(
    read: &Transaction<'_>,
    app: &App,
    after: &str,
    most: i64,
) -> Result<Vec<T>> {
    rows(read, sql!("schedules"), &[(&app.options.prefix, Type::TEXT), (&after, Type::TEXT), (&most, Type::INT8)]).await
}
