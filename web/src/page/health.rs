//! Health: each check of `pgq.health()`, and what to do where one is not well. And `/healthz`, for programs.

use crate::app::Shared;
use crate::failure::Result;
use crate::frame::{Frame, page};
use crate::read::rows;
use crate::show::visible;
use crate::sql;
use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use deadpool_postgres::Transaction;
use serde::Deserialize;

/// A row of `pgq.health()`.
#[derive(Debug, Clone, Deserialize)]
pub struct Check {
    pub check: String,
    pub ok: bool,
    pub detail: Option<String>,
    pub hint: Option<String>,
}

impl Check {
    fn detail(&self) -> String {
        self.detail.as_deref().map_or_else(String::new, |detail| visible(detail).into_owned())
    }

    fn hint(&self) -> String {
        self.hint.as_deref().map_or_else(String::new, |hint| visible(hint).into_owned())
    }
}

#[derive(Template)]
#[template(path = "health.html")]
struct Health {
    frame: Frame,
    ills: Vec<Check>,
    well: Vec<Check>,
}

pub async fn checks(read: &Transaction<'_>) -> Result<Vec<Check>> {
    rows(read, sql!("health"), &[]).await
}

pub async fn show(State(app): State<Shared>, frame: Frame) -> Result<Response> {
    let snapshot = app.snapshot().await?;
    let (well, ills) = snapshot.checks.iter().cloned().partition(|check| check.ok);
    page(&Health { frame, ills, well })
}

/// Whether the dashboard and its database answer. Asked without a login, so it says no more, and a thousand questions a
/// second cost one look.
pub async fn alive(State(app): State<Shared>) -> Response {
    app.start();
    match app.newest().await {
        Ok(_) => "ok\n".into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n").into_response(),
    }
}
