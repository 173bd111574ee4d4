//! Workers: who holds jobs, and since when.

use crate::app::{App, Shared};
use crate::failure::Result;
use crate::frame::{Frame, page};
use crate::read::rows;
use crate::show::{Moment, seconds};
use crate::sql;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio_postgres::types::Type;

/// How many workers are shown: the busiest.
const MOST: i64 = 200;
/// How many jobs are, that have been held for longest.
const LONGEST: i64 = 20;

/// A row of `workers.sql`.
#[derive(Deserialize)]
struct Worker {
    worker: String,
    kind: String,
    pid: Option<i32>,
    since: Moment,
    last_seen: Option<Moment>,
    lease: Option<f64>,
    jobs: i64,
    entrypoints: Option<Vec<String>>,
    oldest: Option<Moment>,
    oldest_job: Option<i64>,
    application: Option<String>,
}

impl Worker {
    fn lease(&self) -> String {
        self.lease.map_or_else(String::new, seconds)
    }

    fn entrypoints(&self) -> &[String] {
        self.entrypoints.as_deref().unwrap_or_default()
    }
}

/// A row of `longest.sql`.
#[derive(Deserialize)]
struct Held {
    id: i64,
    entrypoint: String,
    worker: String,
    picked: Moment,
    attempts: i32,
}

#[derive(Template)]
#[template(path = "workers.html")]
struct Workers {
    frame: Frame,
    workers: Vec<Worker>,
    longest: Vec<Held>,
    is_cut: bool,
    prefixed: bool,
}

pub async fn show(State(app): State<Shared>, frame: Frame) -> Result<Response> {
    let mut lent = app.lend().await?;
    let read = lent.read().await?;
    let workers: Vec<Worker> = workers(&read, &app, MOST).await?;
    let longest = longest(&read, &app, LONGEST).await?;
    let is_cut = workers.len() as i64 >= MOST;
    page(&Workers { frame, workers, longest, is_cut, prefixed: !app.options.prefix.is_empty() })
}

/// The busiest workers.
pub async fn workers<T: DeserializeOwned>(read: &Transaction<'_>, app: &App, most: i64) -> Result<Vec<T>> {
    rows(read, sql!("workers"), &[(&app.options.prefix, Type::TEXT), (&most, Type::INT8)]).await
}

/// The jobs that have been held for the longest time.
pub async fn longest<T: DeserializeOwned>(read: &Transaction<'_>, app: &App, most: i64) -> Result<Vec<T>> {
    rows(read, sql!("longest"), &[(&app.options.prefix, Type::TEXT), (&most, Type::INT8)]).await
}
