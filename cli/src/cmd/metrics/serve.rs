//! `/metrics` and `/healthz`.

use super::super::{Context, web};
use super::cluster::Cluster;
use super::look::Shared;
use super::page::Format;
use crate::error::{Error, Result};
use crate::output::Answer;
use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::net::SocketAddr;
use tokio::net::TcpListener;

const INDEX: &str = "<!DOCTYPE html><html lang=\"en\"><head><title>pgq metrics</title></head><body><h1>pgq metrics</h1>\
                     <ul><li><a href=\"metrics\">metrics</a></li><li><a href=\"healthz\">healthz</a></li></ul></body></html>\n";

/// Serves until it is told to end.
pub async fn serve(context: &Context, cluster: Cluster, address: SocketAddr) -> Result<Answer> {
    let listener = TcpListener::bind(address)
        .await
        .map_err(|source| Error::System { what: format!("cannot listen on {address}"), source })?;
    let address = listener.local_addr().unwrap_or(address);
    context.output.done(
        &format!("The metrics are at http://{address}/metrics. Ctrl-C ends it."),
        serde_json::json!({ "address": address.to_string() }),
    );
    let router = Router::new()
        .route("/", get(async || Html(INDEX)))
        .route("/metrics", get(metrics))
        .route("/healthz", get(health))
        .with_state(Shared::new(cluster));
    pgqueuer_web::serve(listener, router, web::ended())
        .await
        .map_err(|source| Error::System { what: "the metrics are no longer served".to_owned(), source })?;
    Ok(Answer::Yes)
}

async fn metrics(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    let Some(look) = shared.look().await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let format = wanted(&headers);
    let headers = [(CONTENT_TYPE, format.content_type()), (CACHE_CONTROL, "no-store")];
    (headers, look.page().text(format)).into_response()
}

async fn health(State(shared): State<Shared>) -> Response {
    let (well, text) = match shared.look().await {
        Some(look) => look.health(),
        None => (false, "nobody looks any more\n".to_owned()),
    };
    let status = if well { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, [(CACHE_CONTROL, "no-store")], text).into_response()
}

/// OpenMetrics for those who ask for it, and do not prefer the other.
fn wanted(headers: &HeaderMap) -> Format {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let accepted: Vec<&str> = accepted.flat_map(|value| value.split(',')).collect();
    let weight = |kind: &str| accepted.iter().filter_map(|range| weight(range, kind)).fold(0.0, f32::max);
    let open = weight("application/openmetrics-text");
    if open > 0.0 && open >= weight("text/plain") { Format::OpenMetrics } else { Format::Prometheus }
}

/// How much a media type is wanted; 1 where nothing is said.
fn weight(range: &str, kind: &str) -> Option<f32> {
    let mut parts = range.split(';').map(str::trim);
    if !parts.next()?.eq_ignore_ascii_case(kind) {
        return None;
    }
    let quality = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    Some(quality.map_or(1.0, |(_, weight)| weight.trim().parse().unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openmetrics_is_for_those_who_ask_for_it() {
        let wanted = |accept: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, accept.parse().unwrap());
            super::wanted(&headers)
        };
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        assert_eq!(wanted(prometheus), Format::OpenMetrics);
        assert_eq!(wanted("application/openmetrics-text"), Format::OpenMetrics);
        for other in
            ["*/*", "text/plain", "application/openmetrics-text;q=0", "application/openmetrics-text;q=.1, text/plain"]
        {
            assert_eq!(wanted(other), Format::Prometheus, "{other}");
        }
        assert_eq!(super::wanted(&HeaderMap::new()), Format::Prometheus);
    }
}
