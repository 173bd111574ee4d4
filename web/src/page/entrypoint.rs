//! One entrypoint: its last hour, its settings, its next jobs.

use super::entrypoints::{Row, row};
use crate::app::Shared;
use crate::chart::{self, Bars};
use crate::failure::Result;
use crate::figures::Entrypoint;
use crate::frame::{Frame, page};
use crate::page::encoded;
use crate::read::rows;
use crate::sql;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use deadpool_postgres::Transaction;
use serde::Deserialize;
use tokio_postgres::types::Type;

#[derive(Deserialize)]
pub struct Named {
    name: String,
}

/// What `pgq.configure` sets: a row of `entrypoint.sql`, times in seconds. The defaults are the queue's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Settings {
    pub concurrency_limit: i32,
    pub max_attempts: i32,
    pub backoff_initial: f64,
    pub backoff_max: f64,
    pub backoff_multiplier: f64,
    pub on_failure: String,
    pub max_releases: i32,
    pub rate_limit: i32,
    pub rate_period: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            concurrency_limit: 0,
            max_attempts: 5,
            backoff_initial: 1.0,
            backoff_max: 300.0,
            backoff_multiplier: 2.0,
            on_failure: "hold".to_owned(),
            max_releases: 10,
            rate_limit: 0,
            rate_period: 1.0,
        }
    }
}

#[derive(Template)]
#[template(path = "entrypoint.html")]
struct One {
    frame: Frame,
    link: String,
    row: Row,
    throughput: Bars,
    failures: Bars,
    settings: Settings,
}

pub async fn show(State(app): State<Shared>, frame: Frame, Query(named): Query<Named>) -> Result<Response> {
    let full = app.full(&named.name);
    let mut lent = app.lend().await?;
    let settings = settings(&lent.read().await?, &full).await?;
    drop(lent);
    let snapshot = app.snapshot().await?;
    // One that nobody has used yet can be configured all the same.
    let nothing = Entrypoint::default();
    let one = snapshot.figures.entrypoints.get(&full).unwrap_or(&nothing);
    let tallies = chart::tallies(&snapshot.minutes, Some(&full));
    page(&One {
        link: encoded(&named.name),
        row: row(&snapshot, &full, &named.name, one),
        throughput: chart::throughput(&tallies),
        failures: chart::failures(&tallies),
        settings,
        frame,
    })
}

/// By the entrypoint's name in the database.
pub async fn settings(read: &Transaction<'_>, full: &str) -> Result<Settings> {
    let mut found = rows(read, sql!("entrypoint"), &[(&full, Type::TEXT)]).await?;
    Ok(found.pop().unwrap_or_default())
}
