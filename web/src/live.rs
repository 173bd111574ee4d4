//! Server-sent events: one word, `change`, when there is something new to fetch. What it is each page asks for itself, so
//! an event shows nobody more than the pages do.

use crate::app::Shared;
use crate::failure::{Failure, Result};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, stream};
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::watch;

/// More viewers than that are shown pages that do not move.
const MOST: usize = 200;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const RETRY: Duration = Duration::from_secs(3);

pub async fn events(State(app): State<Shared>) -> Result<impl IntoResponse> {
    if app.pulse.viewers() >= MOST {
        let detail = "So many pages are open that this one does not move by itself.";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "Too many viewers", detail));
    }
    Ok(Sse::new(beats(app.pulse.watch())).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

/// However many changes there are between two reads of a slow client, they are one event.
fn beats(beats: watch::Receiver<u64>) -> impl Stream<Item = Result<Event, Infallible>> {
    let hello = stream::once(async { Ok(Event::default().event("hello").retry(RETRY).data("live")) });
    let changes = stream::unfold(beats, |mut beats| async {
        beats.changed().await.ok()?;
        let beat = beats.borrow_and_update().to_string();
        Some((Ok(Event::default().event("change").data(beat)), beats))
    });
    futures_util::StreamExt::chain(hello, changes)
}
