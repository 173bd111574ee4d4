//! What arguments must be. Each check is one line where it is used, each error names the argument.

use crate::error::Error;
use crate::pg::argument::Raw;
use pgqueuer_core::word;
use std::collections::HashSet;

/// The longest entrypoint, bytes.
pub const ENTRYPOINT_MOST: usize = 255;
/// The longest dedupe key or ordering key, bytes: an index entry holds both an entrypoint and a key.
pub const KEY_MOST: usize = 2000;

/// What happens where a dedupe key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnConflict {
    /// An error.
    Raise,
    /// The job is left out.
    Skip,
    /// The queued job is rewritten.
    Replace,
}

/// An entrypoint, given as the argument `name`.
pub fn entrypoint<'a>(name: &str, given: Option<&'a str>) -> Result<&'a str, Error> {
    let hint = "Pass the name of a kind of work, of 1 to 255 bytes, such as 'fetch'.";
    match given {
        None => Err(Error::argument(name, "not be NULL", None, hint)),
        Some("") => Err(Error::argument(name, "not be empty", None, hint)),
        Some(text) if text.len() > ENTRYPOINT_MOST => {
            let detail = format!("It has {} bytes.", text.len());
            Err(Error::argument(name, "be at most 255 bytes long", detail, hint))
        }
        Some(text) => Ok(text),
    }
}

/// A list of entrypoints that somebody asks for: none twice, in the order given.
pub fn entrypoints(given: Option<Raw>) -> Result<Vec<String>, Error> {
    let given = given.map(Raw::texts).unwrap_or_default();
    if given.is_empty() {
        let hint = "Pass the names to take jobs of, such as '{fetch,parse}'.";
        return Err(Error::argument("entrypoints", "name at least one entrypoint", None, hint));
    }
    let mut seen = HashSet::with_capacity(given.len());
    let mut names = Vec::with_capacity(given.len());
    for name in given {
        let name = entrypoint("entrypoints", name.as_deref())?.to_owned();
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    Ok(names)
}

/// A dedupe key or an ordering key.
pub fn key(name: &str, given: Option<&str>) -> Result<(), Error> {
    match given.map(str::len) {
        Some(length) if length > KEY_MOST => {
            let detail = format!("It has {length} bytes.");
            Err(Error::argument(name, "be at most 2000 bytes long", detail, "Pass a hash of it."))
        }
        _ => Ok(()),
    }
}

/// Headers: NULL or an object.
pub fn headers(given: Option<Raw>) -> Result<(), Error> {
    if given.is_some_and(|headers| !headers.jsonb_is_object()) {
        return Err(Error::argument(
            "headers",
            "be a JSON object",
            None,
            r#"Pass an object such as '{"trace": "1"}'."#,
        ));
    }
    Ok(())
}

/// The word for what happens where a dedupe key is taken.
pub fn on_conflict(given: Option<&str>) -> Result<OnConflict, Error> {
    let words = [("raise", OnConflict::Raise), ("skip", OnConflict::Skip), ("replace", OnConflict::Replace)];
    option("on_conflict", given, &words)
}

/// One of some words.
pub fn option<T: Copy>(name: &str, given: Option<&str>, words: &[(&str, T)]) -> Result<T, Error> {
    word::parse(beginning(given.unwrap_or_default()).as_str(), words).map_err(|allowed| {
        Error::argument(name, "be one of the allowed words", shown(given), &format!("Allowed are {allowed}."))
    })
}

/// What was given, for the detail of an error.
pub fn shown(given: Option<&str>) -> String {
    given.map_or_else(|| "It is NULL.".to_owned(), |text| format!("It is \"{}\".", beginning(text)))
}

/// As much of a text as tells what was meant: somebody may have passed a payload.
fn beginning(text: &str) -> String {
    text.chars().take(64).collect()
}

/// Ids of jobs: neither the array nor an element is NULL.
pub fn ids(name: &str, given: Option<Raw>) -> Result<Vec<i64>, Error> {
    let ids: Option<Vec<i64>> = given.and_then(|given| given.bigs().into_iter().collect());
    ids.ok_or_else(|| Error::argument(name, "not be NULL or contain NULL", None, "Pass ids of jobs, such as '{1,2}'."))
}

/// The id of a job.
pub fn id(given: Option<i64>) -> Result<i64, Error> {
    given.ok_or_else(|| Error::argument("id", "not be NULL", None, "Pass the id of a job."))
}

/// An array that has one element for each of another.
pub fn same_length(name: &str, length: usize, other: &str, expected: usize) -> Result<(), Error> {
    if length == expected {
        return Ok(());
    }
    let detail = format!("{name} has {length} elements, {other} has {expected}.");
    Err(Error::argument(name, &format!("have as many elements as {other}"), detail, "Pass one element for each job."))
}
