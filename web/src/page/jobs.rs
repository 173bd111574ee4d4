//! Jobs: all, or of an entrypoint, or of a status; or one by its id.

use super::{Listed, Pager, given};
use crate::app::{App, Shared};
use crate::failure::{Failure, Result};
use crate::find::{Wanted, find};
use crate::frame::{Frame, page};
use crate::read::rows;
use crate::show::visible;
use crate::sql;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use deadpool_postgres::Transaction;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use tokio_postgres::types::Type;

#[derive(Deserialize)]
pub struct Filter {
    entrypoint: Option<String>,
    status: Option<String>,
    after: Option<String>,
    id: Option<String>,
}

#[derive(Template)]
#[template(path = "jobs.html")]
struct Jobs {
    frame: Frame,
    entrypoint: String,
    status: String,
    /// For the field's suggestions.
    names: Vec<String>,
    jobs: Vec<Listed>,
    pager: Pager,
    order: &'static str,
}

/// So many names are suggested.
const NAMES: usize = 200;

pub async fn show(State(app): State<Shared>, frame: Frame, Query(filter): Query<Filter>) -> Result<Response> {
    if let Some(id) = given(filter.id.as_ref()) {
        let number = id.trim_start_matches('#').replace([',', ' '], "");
        let number: i64 = number.parse().map_err(|_| Failure::bad("This is no id", "An id is a whole number."))?;
        return Ok(Redirect::to(&format!("{}/jobs/{number}", frame.base)).into_response());
    }
    let entrypoint = given(filter.entrypoint.as_ref()).unwrap_or_default().to_owned();
    let status = given(filter.status.as_ref()).unwrap_or_default().to_owned();
    let full = (!entrypoint.is_empty()).then(|| app.full(&entrypoint));
    let (wanted, order) = wanted(&status, full.as_deref())?;
    let mut lent = app.lend().await?;
    let read = lent.read().await?;
    let found = find(&read, &app, wanted, filter.after.as_deref()).await?;
    let jobs = listed(&read, &app, &found.ids).await?;
    let query = [("entrypoint", entrypoint.as_str()), ("status", status.as_str())];
    let pager = Pager::new(&frame, "/jobs", &query, &found, filter.after.is_none());
    page(&Jobs { names: names(&app), frame, jobs, pager, order, entrypoint, status })
}

fn wanted<'a>(status: &str, entrypoint: Option<&'a str>) -> Result<(Wanted<'a>, &'static str)> {
    Ok(match (status, entrypoint) {
        ("picked", entrypoint) => (Wanted::Picked { entrypoint }, "the newest first"),
        ("failed", entrypoint) => (Wanted::Failed { entrypoint }, "the last failure first"),
        ("" | "queued", Some(entrypoint)) => {
            (Wanted::Next { entrypoint, queued: status == "queued" }, "in the order in which they are handed out")
        }
        ("" | "queued", None) => (Wanted::Newest { queued: status == "queued" }, "the newest first"),
        _ => return Err(Failure::bad("There is no such status", "A live job is queued, picked or failed.")),
    })
}

/// Jobs of these ids, in their order.
pub async fn listed<T: DeserializeOwned>(read: &Transaction<'_>, app: &App, ids: &[i64]) -> Result<Vec<T>> {
    rows(read, sql!("jobs"), &[(&ids, Type::INT8_ARRAY), (&app.options.prefix, Type::TEXT)]).await
}

pub fn names(app: &App) -> Vec<String> {
    let Some(last) = app.last() else { return vec![] };
    let named = last.figures.entrypoints.keys().filter_map(|full| app.short(full));
    // In a field nobody sees what hides in a name; the lists show it, and link to it.
    named.filter(|name| matches!(visible(name), Cow::Borrowed(_))).take(NAMES).map(str::to_owned).collect()
}
