//! What stands around every page: where it is, who may act, what was just done.

use crate::app::Shared;
use crate::assets;
use crate::failure::{Failure, Result};
use crate::show;
use askama::Template;
use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::{Html, IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use std::convert::Infallible;

/// A place in the navigation: its path, its name, and what stands beside it.
pub struct Place {
    pub path: &'static str,
    pub name: &'static str,
    pub note: Option<String>,
    /// What the note means, for those who hear it.
    pub meaning: &'static str,
    pub bad: bool,
}

/// What every template knows.
pub struct Frame {
    /// What goes before each path, where the router is nested.
    pub base: String,
    /// The path below it.
    path: String,
    query: String,
    pub title: Option<String>,
    pub form_key: String,
    pub read_only: bool,
    pub places: Vec<Place>,
    pub said: Option<String>,
}

impl FromRequestParts<Shared> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Infallible> {
        let path = parts.uri.path().to_owned();
        let original = parts.extensions.get::<OriginalUri>().map_or(path.as_str(), |uri| uri.0.path());
        // Nested at /queue, the address /queue is the path /.
        let base = original.strip_suffix(path.as_str()).unwrap_or(original).trim_end_matches('/').to_owned();
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self {
            base,
            path,
            said: said(query),
            query: without_said(query),
            title: app.options.title.clone(),
            form_key: app.form_key.clone(),
            read_only: app.options.read_only,
            places: places(app),
        })
    }
}

impl Frame {
    /// This page's own address, to be fetched again.
    pub fn here(&self) -> String {
        let mark = if self.query.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{}", self.base, self.path, self.query)
    }

    pub fn is_at(&self, place: &Place) -> bool {
        match place.path {
            "/" => self.path == "/",
            "/entrypoints" => self.path.starts_with("/entrypoint"),
            path => self.path == path || self.path.starts_with(&format!("{path}/")),
        }
    }

    /// The address of a file that browsers may keep.
    pub fn asset(&self, name: &str) -> String {
        format!("{}/static/{name}?{}", self.base, assets::version())
    }

    /// By this server's clock, so that browsers whose clocks are wrong show right ages.
    pub fn now(&self) -> String {
        Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

/// A page.
pub fn page(template: &impl Template) -> Result<Response> {
    Ok(Html(template.render().map_err(Failure::broken)?).into_response())
}

fn places(app: &Shared) -> Vec<Place> {
    let last = app.last();
    let held = last.as_ref().map_or(0, |last| last.figures.total().held);
    let bound = last.as_ref().map_or(0, |last| {
        let bounds = last.figures.bounds;
        if last.figures.beyond(|one| one.held, bounds.held) { held } else { 0 }
    });
    let ills = last.as_ref().map_or(0, |last| last.ills());
    let place = |path, name| Place { path, name, note: None, meaning: "", bad: false };
    let noted = |path, name, number: i64, text: String, meaning| Place {
        path,
        name,
        note: (number > 0).then_some(text),
        meaning,
        bad: true,
    };
    let ills = i64::try_from(ills).unwrap_or(i64::MAX);
    vec![
        place("/", "Overview"),
        place("/entrypoints", "Entrypoints"),
        place("/jobs", "Jobs"),
        noted("/failures", "Failures", held, show::bounded(held, bound), "failed jobs held"),
        place("/schedules", "Schedules"),
        place("/workers", "Workers"),
        noted("/health", "Health", ills, show::count(ills), "things wrong"),
    ]
}

/// What an action did, from the words that it put into the address. Nobody can put other words there.
fn said(query: &str) -> Option<String> {
    let value =
        |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value);
    let number: i64 = value("n").and_then(|number| number.parse().ok()).unwrap_or(0);
    let jobs = || if number == 1 { "1 job".to_owned() } else { format!("{} jobs", show::count(number)) };
    Some(match value("done")?.as_ref() {
        "canceled" if number > 0 => format!("{} canceled.", jobs()),
        "deleted" if number > 0 => format!("{} deleted.", jobs()),
        "requeued" if number > 0 => format!("{} queued again.", jobs()),
        "due" if number > 0 => format!("{} due now.", jobs()),
        "canceled" | "deleted" | "requeued" | "due" => "Nothing to change: the job has moved on meanwhile.".to_owned(),
        "paused" => "Paused: running jobs go on, no new one is handed out.".to_owned(),
        "stopped" => "Paused: it ticks no more until it is resumed.".to_owned(),
        "resumed" => "Resumed.".to_owned(),
        "saved" => "Saved.".to_owned(),
        "same" => "Nothing to change: it was so already.".to_owned(),
        "enqueued" => format!("Job {number} enqueued."),
        "none" => "Nothing was selected.".to_owned(),
        _ => return None,
    })
}

fn without_said(query: &str) -> String {
    let kept = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key != "done" && key != "n");
    form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_words_are_said() {
        assert_eq!(said("done=requeued&n=1200").unwrap(), "1,200 jobs queued again.");
        assert_eq!(said("done=requeued&n=0").unwrap(), "Nothing to change: the job has moved on meanwhile.");
        assert_eq!(said("done=<script>"), None);
        assert_eq!(said("n=<script>"), None);
    }

    #[test]
    fn a_page_fetches_itself_without_what_was_said() {
        assert_eq!(without_said("entrypoint=a%26b&done=saved&n=1"), "entrypoint=a%26b");
    }
}
