//! Failures: jobs that were given up and are held until somebody queues them again or deletes them.

use super::jobs::{listed, names};
use super::{Listed, Pager, given};
use crate::app::Shared;
use crate::failure::Result;
use crate::find::{Wanted, find};
use crate::frame::{Frame, page};
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

#[derive(Deserialize)]
pub struct Filter {
    entrypoint: Option<String>,
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "failures.html")]
struct Failures {
    frame: Frame,
    entrypoint: String,
    names: Vec<String>,
    jobs: Vec<Listed>,
    pager: Pager,
}

pub async fn show(State(app): State<Shared>, frame: Frame, Query(filter): Query<Filter>) -> Result<Response> {
    let entrypoint = given(filter.entrypoint.as_ref()).unwrap_or_default().to_owned();
    let full = (!entrypoint.is_empty()).then(|| app.full(&entrypoint));
    let mut lent = app.lend().await?;
    let read = lent.read().await?;
    let wanted = Wanted::Failed { entrypoint: full.as_deref() };
    let found = find(&read, &app, wanted, filter.after.as_deref()).await?;
    let jobs = listed(&read, &app, &found.ids).await?;
    let query = [("entrypoint", entrypoint.as_str())];
    let pager = Pager::new(&frame, "/failures", &query, &found, filter.after.is_none());
    page(&Failures { names: names(&app), frame, entrypoint, jobs, pager })
}
