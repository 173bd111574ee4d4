//! What a program is told of its job, beside the payload: variables.

use pgqueuer_client::Job;
use serde_json::Value;
use std::ffi::OsString;
use std::fmt::Display;
use std::time::Duration;

/// Headers that are longer as JSON, in bytes, are not passed on: the kernel bounds a variable, and all of them together.
const LONGEST: usize = 64 * 1024;

/// How the variables of W3C's trace context are called.
const TRACE: [(&str, &str); 2] = [("traceparent", "TRACEPARENT"), ("tracestate", "TRACESTATE")];

/// Variables of this process that would be taken for those of a job.
pub fn foreign() -> Vec<OsString> {
    let is_foreign = |name: &OsString| {
        let name = name.to_string_lossy();
        name.starts_with("PGQ_") || TRACE.iter().any(|(_, variable)| *variable == name)
    };
    std::env::vars_os().map(|(name, _)| name).filter(is_foreign).collect()
}

/// Those of a job. `entrypoint` is its name without the prefix.
///
/// # Errors
/// Why the job cannot be run by any program.
pub fn of(
    job: &Job,
    entrypoint: &str,
    worker: impl Display,
    timeout: Option<Duration>,
) -> Result<Vec<(String, String)>, String> {
    let mut variables = vec![];
    let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
    set("PGQ_ID", job.id.to_string());
    set("PGQ_ENTRYPOINT", entrypoint.to_owned());
    set("PGQ_ATTEMPT", job.attempts.saturating_add(1).to_string());
    set("PGQ_PRIORITY", job.priority.to_string());
    set("PGQ_CREATED", job.created.to_rfc3339());
    set("PGQ_WORKER", worker.to_string());
    if let Some(key) = &job.dedupe_key {
        set("PGQ_DEDUPE_KEY", key.clone());
    }
    if let Some(key) = &job.ordering_key {
        set("PGQ_ORDERING_KEY", key.clone());
    }
    if let Some(timeout) = timeout {
        set("PGQ_TIMEOUT", timeout.as_secs_f64().to_string());
        if let Some(deadline) =
            chrono::TimeDelta::from_std(timeout).ok().and_then(|by| chrono::Utc::now().checked_add_signed(by))
        {
            set("PGQ_DEADLINE", deadline.to_rfc3339());
        }
    }
    for (header, variable) in TRACE {
        if let Some(value) = job.header(header) {
            set(variable, value.to_owned());
        }
    }
    headers(job, &mut set)?;
    // PostgreSQL keeps no NUL, so there is none; if there were, it would end the variable.
    variables.retain(|(_, value)| !value.contains('\0'));
    Ok(variables)
}

/// All as JSON, and each by its name.
fn headers(job: &Job, set: &mut impl FnMut(&str, String)) -> Result<(), String> {
    let json = Value::Object(job.headers.clone()).to_string();
    if json.len() > LONGEST {
        return Err(format!("its headers have {} bytes; at most {LONGEST} can be passed to a program", json.len()));
    }
    set("PGQ_HEADERS", json);
    for (name, value) in &job.headers {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        set(&variable(name), value);
    }
    Ok(())
}

/// `tenant-id` ─▶ `PGQ_HEADER_TENANT_ID`.
fn variable(header: &str) -> String {
    let name = header.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_uppercase() } else { '_' });
    "PGQ_HEADER_".chars().chain(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_cannot_name_any_other_variable() {
        assert_eq!(variable("tenant-id"), "PGQ_HEADER_TENANT_ID");
        assert_eq!(variable("LD_PRELOAD=x\n"), "PGQ_HEADER_LD_PRELOAD_X_");
        assert_eq!(variable("ü"), "PGQ_HEADER__");
    }
}
