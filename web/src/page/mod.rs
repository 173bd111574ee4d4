//! The pages, a file each: a query, a struct, a template of the same name.

pub mod entrypoint;
pub mod entrypoints;
pub mod failures;
pub mod health;
pub mod job;
pub mod jobs;
pub mod overview;
pub mod schedules;
pub mod workers;

use crate::find::{Found, PAGE};
use crate::frame::Frame;
use crate::show::{self, Moment};
use serde::Deserialize;

/// A job in a list: a row of `jobs.sql`.
#[derive(Deserialize)]
pub struct Listed {
    pub id: i64,
    pub entrypoint: String,
    pub status: String,
    pub priority: i32,
    pub attempts: i32,
    pub created: Moment,
    pub execute_after: Moment,
    pub picked: Option<Moment>,
    pub deferred: bool,
    pub bytes: i64,
    pub beginning: Option<String>,
    /// What the last attempt of a failed job said.
    pub error: Option<String>,
    pub finished: Option<Moment>,
}

impl Listed {
    /// The beginning of the payload in one line.
    pub fn payload(&self) -> String {
        let beginning = self.beginning.as_deref().unwrap_or_default();
        let line: String = beginning.split_whitespace().collect::<Vec<_>>().join(" ");
        let more = if self.bytes > 97 { "…" } else { "" };
        format!("{}{more}", show::visible(&line))
    }

    /// Which attempt it is in, or was in when it was given up.
    pub fn attempt(&self) -> i32 {
        if self.status == "failed" { self.attempts } else { self.attempts.saturating_add(1) }
    }

    pub fn last_error(&self) -> String {
        self.error.as_deref().map_or_else(String::new, |error| show::visible(error).into_owned())
    }
}

/// What stands below a list.
pub struct Pager {
    /// The address of the next page.
    pub next: Option<String>,
    /// The address of the first page, where this is another.
    pub first: Option<String>,
    pub looked: Option<String>,
}

impl Pager {
    /// `query`: the filters, as they stand in the address.
    pub fn new(frame: &Frame, path: &str, query: &[(&str, &str)], found: &Found, is_first: bool) -> Self {
        let address = |cursor: Option<&str>| {
            let mut text = form_urlencoded::Serializer::new(String::new());
            let filters = query.iter().filter(|(_, value)| !value.is_empty());
            text.extend_pairs(filters).extend_pairs(cursor.map(|cursor| ("after", cursor)));
            let query = text.finish();
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{}{path}{mark}{query}", frame.base)
        };
        Self {
            next: found.next.as_deref().map(|cursor| address(Some(cursor))),
            first: (!is_first).then(|| address(None)),
            looked: found.looked.filter(|looked| *looked > PAGE as i64).map(show::count),
        }
    }
}

/// A filter that is empty is none.
pub fn given(filter: Option<&String>) -> Option<&str> {
    filter.map(|filter| filter.trim()).filter(|filter| !filter.is_empty())
}

/// A name as it stands in an address.
pub fn encoded(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}
