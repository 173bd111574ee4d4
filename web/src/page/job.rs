//! A job: everything that is known of it.

use crate::app::{App, Shared};
use crate::failure::{Failure, Result};
use crate::find::column;
use crate::frame::{Frame, page};
use crate::payload::{self, Payload, View, indented};
use crate::read::{raw, rows};
use crate::show::{self, Moment};
use crate::sql;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Transaction;
use serde::Deserialize;
use tokio_postgres::types::Type;

/// How many bytes of a payload a page shows.
const SHOWN: i32 = 64 * 1024;
/// How many can be fetched as a file.
const LARGEST: i32 = 64 * 1024 * 1024;
/// How many attempts are shown.
const ATTEMPTS: i64 = 100;

#[derive(Deserialize)]
pub struct Wish {
    view: Option<String>,
}

/// A row of `job.sql`.
#[derive(Deserialize)]
struct Live {
    entrypoint: String,
    status: String,
    priority: i32,
    attempts: i32,
    created: Moment,
    execute_after: Moment,
    deferred: bool,
    picked: Option<Moment>,
    worker: Option<String>,
    dedupe_key: Option<String>,
    ordering_key: Option<String>,
    headers: Option<String>,
    bytes: i64,
    bare: bool,
}

/// A row of `attempts.sql`.
#[derive(Deserialize)]
struct Attempt {
    entrypoint: String,
    attempts: i32,
    outcome: String,
    worker: Option<String>,
    created: Moment,
    finished: Moment,
    took: Option<f64>,
    error: Option<String>,
}

impl Attempt {
    fn took(&self) -> String {
        self.took.map_or_else(String::new, show::seconds)
    }

    fn error(&self) -> String {
        self.error.as_deref().map_or_else(String::new, |error| show::visible(error).into_owned())
    }
}

#[derive(Template)]
#[template(path = "job.html")]
struct Job {
    frame: Frame,
    id: i64,
    entrypoint: String,
    status: String,
    live: Option<Live>,
    explained: String,
    payload: Option<Payload>,
    shown: String,
    headers: Option<String>,
    attempts: Vec<Attempt>,
}

pub async fn show(
    State(app): State<Shared>,
    frame: Frame,
    Path(id): Path<String>,
    Query(wish): Query<Wish>,
) -> Result<Response> {
    let id = number(&id)?;
    let mut lent = app.lend().await?;
    let read = lent.read().await?;
    let prefix = &app.options.prefix;
    let live: Option<Live> = rows(&read, sql!("job"), &[(&id, Type::INT8), (prefix, Type::TEXT)]).await?.pop();
    let of = [(&id as _, Type::INT8), (prefix as _, Type::TEXT), (&ATTEMPTS as _, Type::INT8)];
    let attempts: Vec<Attempt> = rows(&read, sql!("attempts"), &of).await?;
    let known = live.as_ref().map(|live| (live.entrypoint.clone(), live.status.clone()));
    let ended = || attempts.first().map(|last| (last.entrypoint.clone(), last.outcome.clone()));
    let (entrypoint, status) =
        known.or_else(ended).ok_or_else(|| Failure::not_found(format!("No job {id} is known")))?;
    let explained = raw(&read, sql!("explain"), &[(&id, Type::INT8)]).await?;
    let explained: Option<String> = explained.first().map(|row| column(row, 0)).transpose()?.flatten();
    let bytes = beginning(&read, &app, id, SHOWN).await?;
    let wanted = wish.view.as_deref().and_then(View::of);
    let headers = live.as_ref().and_then(|live| live.headers.as_deref());
    let headers = headers.map(|headers| show::visible(&indented(headers)).into_owned());
    page(&Job {
        payload: bytes.map(|(bytes, whole)| payload::payload(&bytes, whole, wanted)),
        shown: show::bytes(SHOWN.into()),
        explained: show::visible(&explained.unwrap_or_default()).into_owned(),
        frame,
        id,
        entrypoint,
        status,
        live,
        headers,
        attempts,
    })
}

/// The payload as a file, which no browser opens by itself.
pub async fn payload(State(app): State<Shared>, Path(id): Path<String>) -> Result<Response> {
    let id = number(&id)?;
    let mut lent = app.lend().await?;
    let (bytes, whole) = beginning(&lent.read().await?, &app, id, LARGEST)
        .await?
        .ok_or_else(|| Failure::not_found(format!("Job {id} has no payload")))?;
    if bytes.len() < whole {
        let detail = format!("It has {}. Read it with SQL: SELECT payload FROM pgq.jobs WHERE id = {id}.", whole);
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "This payload is too large", detail));
    }
    let name = format!("attachment; filename=\"job-{id}.bin\"");
    Ok(([(CONTENT_TYPE, "application/octet-stream".to_owned()), (CONTENT_DISPOSITION, name)], bytes).into_response())
}

/// The first bytes of a payload, and how many there are; none where the job has none or is gone.
async fn beginning(read: &Transaction<'_>, app: &App, id: i64, most: i32) -> Result<Option<(Vec<u8>, usize)>> {
    let of = [(&id as _, Type::INT8), (&app.options.prefix as _, Type::TEXT), (&most as _, Type::INT4)];
    let found = raw(read, sql!("payload"), &of).await?;
    let Some(row) = found.first() else { return Ok(None) };
    Ok(Some((column(row, 0)?, column::<i32>(row, 1)?.try_into().unwrap_or(0))))
}

fn number(id: &str) -> Result<i64> {
    id.parse().map_err(|_| Failure::bad("This is no id", "An id is a whole number."))
}
