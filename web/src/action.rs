//! What can be changed. All of it comes through one door, so that no action can be without its checks: not read-only, sent
//! by a page of ours, with our key in it.

mod entrypoint;
mod failed;
mod job;
mod schedule;

use crate::app::{App, Shared};
use crate::failure::{Failure, Result};
use crate::frame::Frame;
use crate::guard::is_from_here;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use subtle::ConstantTimeEq;

/// The fields of a form.
pub struct Form(Vec<(String, String)>);

impl Form {
    fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&str> {
        self.value(name).ok_or_else(|| Failure::bad("A field is missing", format!("The form has no field {name}.")))
    }

    /// A name, which forms carry as it stands in an address: fields change line breaks.
    fn name(&self, field: &str) -> Result<String> {
        let encoded = format!("name={}", self.required(field)?);
        let name = form_urlencoded::parse(encoded.as_bytes()).next();
        Ok(name.map(|(_, name)| name.into_owned()).unwrap_or_default())
    }

    /// Not named `id`: in a form that has a field of that name, scripts do not find the form's own.
    fn ids(&self) -> Result<Vec<i64>> {
        let ids = self.0.iter().filter(|(key, _)| key == "job");
        ids.map(|(_, id)| id.parse().map_err(|_| Failure::bad("This is no id", "An id is a whole number."))).collect()
    }
}

/// What was done, and the page that shows it.
struct Done {
    word: &'static str,
    number: i64,
    /// A path, and the query that it keeps.
    to: String,
}

/// `POST /do/…`: checks, acts, and goes to the page that shows what it did.
pub async fn act(
    State(app): State<Shared>,
    frame: Frame,
    Path(action): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response> {
    let form = checked(&app, &headers, &body)?;
    let done = dispatch(&app, &action, &form).await?;
    app.changed();
    let mark = if done.to.contains('?') { '&' } else { '?' };
    let to = format!("{}{}{mark}done={}&n={}", frame.base, done.to, done.word, done.number);
    Ok(Redirect::to(&to).into_response())
}

fn checked(app: &App, headers: &HeaderMap, body: &[u8]) -> Result<Form> {
    if app.options.read_only {
        return Err(Failure::forbidden("This dashboard only looks", "It was started read-only."));
    }
    if !is_from_here(headers) {
        return Err(Failure::forbidden("Refused", "This form was sent by a page of another site."));
    }
    let form = Form(form_urlencoded::parse(body).into_owned().collect());
    let key = form.value("key").unwrap_or_default();
    if !bool::from(key.as_bytes().ct_eq(app.form_key.as_bytes())) {
        return Err(Failure::forbidden("This form is too old", "The dashboard was restarted. Load the page again."));
    }
    Ok(form)
}

async fn dispatch(app: &App, action: &str, form: &Form) -> Result<Done> {
    match action {
        "cancel" => job::cancel(app, form).await,
        "delete" => job::delete(app, form).await,
        "requeue" => job::requeue(app, form).await,
        "run-now" => job::run_now(app, form).await,
        "failed" => failed::act(app, form).await,
        "pause" => entrypoint::pause(app, form, true).await,
        "resume" => entrypoint::pause(app, form, false).await,
        "configure" => entrypoint::configure(app, form).await,
        "pause-schedule" => schedule::pause(app, form, true).await,
        "resume-schedule" => schedule::pause(app, form, false).await,
        "run-schedule" => schedule::run(app, form).await,
        _ => Err(Failure::not_found("There is no such action")),
    }
}
