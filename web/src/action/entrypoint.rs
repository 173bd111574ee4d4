//! Actions on an entrypoint: pause, resume, settings.

use super::{Done, Form};
use crate::app::App;
use crate::failure::{Failure, Result};
use crate::page::encoded;
use crate::page::entrypoint::{Settings, settings};
use crate::read::commit;
use pgqueuer_client::{Control, OnFailure};
use std::str::FromStr;
use std::time::Duration;

pub async fn pause(app: &App, form: &Form, pause: bool) -> Result<Done> {
    let name = &form.name("name")?;
    let full = app.full(name);
    let mut lent = app.lend().await?;
    let write = lent.write().await?;
    let changed = if pause { write.pause(&full).await? } else { write.resume(&full).await? };
    commit(write).await?;
    let word = match (changed, pause) {
        (false, _) => "same",
        (true, true) => "paused",
        (true, false) => "resumed",
    };
    // From the list back to the list.
    let to = if form.value("to") == Some("list") { "/entrypoints".to_owned() } else { page_of(name) };
    Ok(Done { word, number: 0, to })
}

fn page_of(name: &str) -> String {
    format!("/entrypoint?name={}", encoded(name))
}

/// Sets what the form changes, and leaves alone what somebody else may have changed meanwhile.
pub async fn configure(app: &App, form: &Form) -> Result<Done> {
    let name = &form.name("name")?;
    let full = app.full(name);
    let wanted = wanted(form)?;
    let mut lent = app.lend().await?;
    let write = lent.write().await?;
    let now = settings(&write, &full).await?;
    let word = if wanted == now { "same" } else { "saved" };
    if wanted != now {
        write.configure(&full, difference(&now, &wanted)?).await?;
        commit(write).await?;
    }
    Ok(Done { word, number: 0, to: page_of(name) })
}

fn wanted(form: &Form) -> Result<Settings> {
    Ok(Settings {
        concurrency_limit: number(form, "concurrency_limit")?,
        max_attempts: number(form, "max_attempts")?,
        backoff_initial: number(form, "backoff_initial")?,
        backoff_max: number(form, "backoff_max")?,
        backoff_multiplier: number(form, "backoff_multiplier")?,
        on_failure: form.required("on_failure")?.to_owned(),
        max_releases: number(form, "max_releases")?,
        rate_limit: number(form, "rate_limit")?,
        rate_period: number(form, "rate_period")?,
    })
}

fn number<T: FromStr>(form: &Form, name: &str) -> Result<T> {
    let text = form.required(name)?.trim();
    text.parse()
        .map_err(|_| Failure::bad("This is no number", format!("{name} is a number, and not as large as that.")))
}

fn difference(now: &Settings, wanted: &Settings) -> Result<pgqueuer_client::Settings> {
    let on_failure = match wanted.on_failure.as_str() {
        "hold" => OnFailure::Hold,
        "delete" => OnFailure::Delete,
        _ => return Err(Failure::bad("There is no such way to fail", "on_failure is hold or delete.")),
    };
    Ok(pgqueuer_client::Settings {
        concurrency_limit: changed(now.concurrency_limit, wanted.concurrency_limit),
        max_attempts: changed(now.max_attempts, wanted.max_attempts),
        backoff_initial: length("backoff_initial", now.backoff_initial, wanted.backoff_initial)?,
        backoff_max: length("backoff_max", now.backoff_max, wanted.backoff_max)?,
        backoff_multiplier: changed(now.backoff_multiplier, wanted.backoff_multiplier),
        on_failure: (now.on_failure != wanted.on_failure).then_some(on_failure),
        max_releases: changed(now.max_releases, wanted.max_releases),
        rate_limit: changed(now.rate_limit, wanted.rate_limit),
        rate_period: length("rate_period", now.rate_period, wanted.rate_period)?,
    })
}

fn changed<T: PartialEq>(now: T, wanted: T) -> Option<T> {
    (now != wanted).then_some(wanted)
}

fn length(name: &str, now: f64, wanted: f64) -> Result<Option<Duration>> {
    let Some(seconds) = changed(now, wanted) else { return Ok(None) };
    let length = Duration::try_from_secs_f64(seconds).map(Some);
    length.map_err(|_| Failure::bad("This is no length of time", format!("{name} is in seconds, from 0 up.")))
}
