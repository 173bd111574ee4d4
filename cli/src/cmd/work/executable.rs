//! The file of a program, looked for before the first job is claimed.

use crate::error::{Error, Result};
use rustix::fs::{Access, access};
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// So long is a first line, at most: what is longer the kernel does not read.
const FIRST_LINE: u64 = 256;

/// Where the program is: a name without `/` is looked for in the folders of `PATH`.
///
/// # Errors
/// [`Error::Usage`] where there is none, or it cannot be run.
pub fn find(name: &OsStr) -> Result<PathBuf> {
    let file = if name.as_bytes().contains(&b'/') { PathBuf::from(name) } else { in_path(name)? };
    let wrong = |why: &str, hint: &str| Err(Error::usage(format!("cannot run {}: {why}", file.display()), hint));
    match std::fs::metadata(&file) {
        Err(error) => return wrong(&error.to_string(), "Name a program that is there."),
        Ok(is) if !is.is_file() => return wrong("it is no file", "Name a program."),
        Ok(_) => {}
    }
    if access(&file, Access::EXEC_OK).is_err() {
        return wrong("it is not executable", &format!("chmod +x {}", file.display()));
    }
    match interpreter(&file) {
        Some(missing) if !missing.exists() => wrong(
            &format!("its first line names {}, which is not there", missing.display()),
            "Correct the line that begins with #!, or name the interpreter: -- python3 handler.py",
        ),
        _ => Ok(file),
    }
}

fn in_path(name: &OsStr) -> Result<PathBuf> {
    let folders = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    let mut files = std::env::split_paths(&folders).map(|folder| folder.join(name));
    let runs = |file: &PathBuf| file.is_file() && access(file, Access::EXEC_OK).is_ok();
    files.find(runs).filter(|_| !name.is_empty()).ok_or_else(|| {
        let hint = if Path::new(name).is_file() {
            format!("In this folder: -- ./{}", name.display())
        } else {
            "Install it, or write its path.".to_owned()
        };
        Error::usage(format!("no program \"{}\" in PATH", name.display()), hint)
    })
}

/// Of a script whose first line names one.
fn interpreter(file: &Path) -> Option<PathBuf> {
    let mut first = vec![];
    // What may be run and not be read is no script.
    std::fs::File::open(file).ok()?.take(FIRST_LINE).read_to_end(&mut first).ok()?;
    let line = first.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let words = line.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty())?;
    Some(PathBuf::from(OsStr::from_bytes(words)))
}
