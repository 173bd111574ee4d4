//! What arguments must be: the rules and the words of the functions in SQL.

use super::clock::{Time, micros};
use crate::control::{Schedule, Settings};
use crate::error::{Error, Result};
use crate::new_job::NewJob;
use pgqueuer_core::cron::{Cron, Zone};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest entrypoint, bytes.
const ENTRYPOINT_MOST: usize = 255;
/// The longest dedupe key or ordering key, bytes.
const KEY_MOST: usize = 2000;
/// The longest duration of a setting, microseconds: 100 years of 360 days.
const LONGEST: Time = 36_000 * 86_400_000_000;

fn argument(name: &str, must: &str, detail: impl Into<Option<String>>, hint: &str) -> Error {
    Error::refused("22023", format!("{name} must {must}"), detail.into(), Some(hint))
}

/// A dedupe key is taken.
pub(super) fn duplicate(key: &str) -> Error {
    let detail = format!("Key (dedupe_key)=({key}) already exists.");
    let hint = "Call pgq.enqueue with on_conflict => 'skip' to leave that job as it is, or 'replace' to rewrite it.";
    Error::refused("23505", "dedupe_key belongs to another job", Some(detail), Some(hint))
}

/// A delay leads beyond all times.
pub(super) fn out_of_range() -> Error {
    Error::refused("22008", "interval out of range", None, None)
}

/// What no text of PostgreSQL may contain.
pub(super) fn text(given: &str) -> Result<()> {
    if given.contains('\0') {
        return Err(Error::refused("22021", "invalid byte sequence for encoding \"UTF8\": 0x00", None, None));
    }
    Ok(())
}

/// What no jsonb may contain.
pub(super) fn json(given: &Value) -> Result<()> {
    match given {
        Value::String(text) if text.contains('\0') => {
            let detail = "\\u0000 cannot be converted to text.".to_owned();
            Err(Error::refused("22P05", "unsupported Unicode escape sequence", Some(detail), None))
        }
        Value::Array(values) => values.iter().try_for_each(json),
        Value::Object(object) => headers(object),
        _ => Ok(()),
    }
}

fn headers(given: &Map<String, Value>) -> Result<()> {
    given.keys().try_for_each(|key| json(&Value::from(key.as_str())))?;
    given.values().try_for_each(json)
}

pub(super) fn entrypoint(name: &str, given: &str) -> Result<()> {
    named(name, given, "Pass the name of a kind of work, of 1 to 255 bytes, such as 'fetch'.")
}

fn named(name: &str, given: &str, hint: &str) -> Result<()> {
    text(given)?;
    if given.is_empty() {
        return Err(argument(name, "not be empty", None, hint));
    }
    if given.len() > ENTRYPOINT_MOST {
        let detail = format!("It has {} bytes.", given.len());
        return Err(argument(name, "be at most 255 bytes long", detail, hint));
    }
    Ok(())
}

/// The entrypoints that somebody asks for, each once.
pub(super) fn entrypoints(given: &[String]) -> Result<BTreeSet<String>> {
    if given.is_empty() {
        let hint = "Pass the names to take jobs of, such as '{fetch,parse}'.";
        return Err(argument("entrypoints", "name at least one entrypoint", None, hint));
    }
    given.iter().try_for_each(|name| entrypoint("entrypoints", name))?;
    Ok(given.iter().cloned().collect())
}

fn key(name: &str, given: Option<&str>) -> Result<()> {
    let Some(given) = given else { return Ok(()) };
    text(given)?;
    if given.len() > KEY_MOST {
        let detail = format!("It has {} bytes.", given.len());
        return Err(argument(name, "be at most 2000 bytes long", detail, "Pass a hash of it."));
    }
    Ok(())
}

/// What is to be enqueued by one call. `many` tells of `pgq.enqueue_many`, whose arguments have other names.
pub(super) fn jobs(jobs: &[NewJob], many: bool) -> Result<()> {
    let [entrypoint, dedupe_key, ordering_key] = if many {
        ["entrypoints", "dedupe_keys", "ordering_keys"]
    } else {
        ["entrypoint", "dedupe_key", "ordering_key"]
    };
    jobs.iter().try_for_each(|job| self::entrypoint(entrypoint, &job.entrypoint))?;
    jobs.iter().try_for_each(|job| key(dedupe_key, job.dedupe_key.as_deref()))?;
    jobs.iter().try_for_each(|job| key(ordering_key, job.ordering_key.as_deref()))?;
    jobs.iter().try_for_each(|job| headers(&job.headers))
}

/// How many jobs are asked for.
pub(super) fn batch_size(given: i32) -> Result<usize> {
    usize::try_from(given).ok().filter(|most| *most > 0).ok_or_else(|| {
        argument("batch_size", "be at least 1", format!("It is {given}."), "Pass how many jobs to take.")
    })
}

/// A lease in microseconds.
pub(super) fn lease(given: Duration) -> Result<Time> {
    Some(micros(given)).filter(|lease| (1..=LONGEST).contains(lease)).ok_or_else(|| {
        let hint = "Allowed are intervals such as '30 s', up to '100 years'.";
        argument("lease", "be longer than 0, and at most 100 years", None, hint)
    })
}

/// Settings of an entrypoint.
pub(super) fn settings(given: &Settings) -> Result<()> {
    at_least("concurrency_limit", given.concurrency_limit, 0)?;
    at_least("max_attempts", given.max_attempts, 1)?;
    at_least("max_releases", given.max_releases, 0)?;
    at_least("rate_limit", given.rate_limit, 0)?;
    duration("backoff_initial", given.backoff_initial, 0)?;
    duration("backoff_max", given.backoff_max, 0)?;
    if let Some(given) = given.backoff_multiplier.filter(|given| !given.is_finite() || *given < 1.0) {
        let hint = "Allowed are finite numbers from 1 on.";
        return Err(argument("backoff_multiplier", "be at least 1", format!("It is {given}."), hint));
    }
    duration("rate_period", given.rate_period, 1)
}

fn at_least(name: &str, given: Option<i32>, least: i32) -> Result<()> {
    let Some(given) = given.filter(|given| *given < least) else { return Ok(()) };
    let hint = format!("Allowed are {least} to {}.", i32::MAX);
    Err(argument(name, &format!("be at least {least}"), format!("It is {given}."), &hint))
}

fn duration(name: &str, given: Option<Duration>, least: Time) -> Result<()> {
    if given.is_none_or(|given| (least..=LONGEST).contains(&micros(given))) {
        return Ok(());
    }
    let must = if least > 0 { "be longer than 0, and at most 100 years" } else { "be from 0 to 100 years" };
    Err(argument(name, must, None, "Allowed are intervals such as '1 s', up to '100 years'."))
}

/// A schedule: when it ticks, and in which zone.
pub(super) fn schedule(given: &Schedule) -> Result<(Cron, Zone)> {
    named("name", &given.name, "Pass the name of a schedule, of 1 to 255 bytes.")?;
    text(&given.cron)?;
    let cron = Cron::parse(&given.cron).map_err(|error| {
        let hint = "Five fields, minute hour day-of-month month day-of-week, or six with the seconds last: \
                    '30 6 * * mon-fri', '* * * * * */10', '@daily'.";
        argument("cron", "be a cron expression", format!("{error}."), hint)
    })?;
    given.entrypoint.iter().try_for_each(|name| entrypoint("entrypoint", name))?;
    text(&given.timezone)?;
    let zone = Zone::parse(&given.timezone).ok_or_else(|| {
        let beginning: String = given.timezone.chars().take(64).collect();
        let hint = "Pass an IANA name such as 'UTC', 'Europe/Berlin' or 'America/New_York'.";
        argument("timezone", "be a time zone", format!("It is \"{beginning}\"."), hint)
    })?;
    headers(&given.headers)?;
    key("ordering_key", given.ordering_key.as_deref())?;
    Ok((cron, zone))
}

/// When a schedule ticks first.
pub(super) fn first_tick(cron: &Cron, zone: Zone, now: Time) -> Result<Time> {
    cron.next(zone, now).ok_or_else(|| {
        let hint = "Its day and month never come together: for the last day of February write '0 0 28 2 *'.";
        argument("cron", "name a time that comes", None, hint)
    })
}
