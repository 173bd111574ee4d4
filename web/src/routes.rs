//! Which address is which page.

use crate::app::Shared;
use crate::failure::Failure;
use crate::{action, assets, guard, live, page};
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::time::Duration;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::{RequestBodyTimeoutLayer, TimeoutLayer};

/// A form has at most a page of ids in it.
const LARGEST_FORM: usize = 64 * 1024;
/// Whoever sends a form so slowly is not a browser.
const SLOWEST_FORM: Duration = Duration::from_secs(10);
/// Statements end before that.
const SLOWEST_ANSWER: Duration = Duration::from_secs(60);

pub fn router(app: Shared) -> Router {
    let guarded = Router::new()
        .route("/", get(page::overview::show))
        .route("/entrypoints", get(page::entrypoints::show))
        .route("/entrypoint", get(page::entrypoint::show))
        .route("/jobs", get(page::jobs::show))
        .route("/jobs/{id}", get(page::job::show))
        .route("/jobs/{id}/payload", get(page::job::payload))
        .route("/failures", get(page::failures::show))
        .route("/schedules", get(page::schedules::show))
        .route("/workers", get(page::workers::show))
        .route("/health", get(page::health::show))
        .route("/events", get(live::events))
        .route("/static/{name}", get(assets::file))
        .route("/do/{action}", post(action::act))
        .fallback(|| async { Failure::not_found("There is no such page") })
        .layer(from_fn_with_state(app.clone(), guard::admit));
    Router::new()
        .merge(guarded)
        .route("/healthz", get(page::health::alive))
        .layer(RequestBodyTimeoutLayer::new(SLOWEST_FORM))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, SLOWEST_ANSWER))
        .layer(RequestBodyLimitLayer::new(LARGEST_FORM))
        .layer(from_fn_with_state(app.clone(), guard::dress))
        .with_state(app)
}
