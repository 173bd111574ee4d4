//! The service file: sections in brackets, `keyword=value` lines.

use super::words::Pair;
use super::wrong;
use crate::error::{Error, Result};
use std::env::{home_dir, var_os};
use std::path::{Path, PathBuf};

/// What a service says: of the user's file, else of the system's.
///
/// # Errors
/// [`Error::Usage`] where neither knows it, or a line cannot be read.
pub fn read(service: &str) -> Result<Vec<Pair>> {
    for file in files() {
        if let Some(pairs) = section(&file, service)? {
            return Ok(pairs);
        }
    }
    let files: Vec<_> = files().iter().map(|file| file.display().to_string()).collect();
    Err(Error::usage(format!("there is no service \"{service}\""), format!("Looked in {}.", files.join(" and "))))
}

/// `PGSERVICEFILE` or `~/.pg_service.conf`, then the system's.
fn files() -> Vec<PathBuf> {
    let own = var_os("PGSERVICEFILE").map(PathBuf::from);
    let own = own.or_else(|| Some(home_dir()?.join(".pg_service.conf")));
    let system = var_os("PGSYSCONFDIR").map_or_else(|| PathBuf::from("/etc/postgresql-common"), PathBuf::from);
    own.into_iter().chain([system.join("pg_service.conf")]).collect()
}

fn section(file: &Path, service: &str) -> Result<Option<Vec<Pair>>> {
    // A file that is not there knows no service.
    let Ok(text) = std::fs::read_to_string(file) else { return Ok(None) };
    let (mut inside, mut found, mut pairs) = (false, false, vec![]);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
        } else if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            inside = !found && name == service;
            found |= inside;
        } else if inside {
            let pair = line.split_once('=').filter(|(word, _)| *word != "service");
            let (word, value) = pair.ok_or_else(|| unreadable(file, number + 1))?;
            pairs.push((word.to_owned(), value.to_owned()));
        }
    }
    Ok(found.then_some(pairs))
}

fn unreadable(file: &Path, number: usize) -> Error {
    wrong(format!("line {number} of the service file {} is no keyword=value", file.display()))
}
