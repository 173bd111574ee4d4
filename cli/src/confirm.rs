//! A question before what cannot be undone.

use crate::error::{Error, Result};
use std::io::{self, IsTerminal, Write};

/// Goes on where `--yes` was given or somebody at a terminal says yes.
///
/// # Errors
/// [`Error::Usage`] where nobody can be asked, or the answer is another.
pub fn confirm(question: &str, yes: bool) -> Result<()> {
    if yes {
        return Ok(());
    }
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(Error::usage("this cannot be undone, and nobody is here to be asked", "Pass --yes."));
    }
    eprint!("{} [y/N] ", crate::text::harmless(question));
    io::stderr().flush().ok();
    let mut answer = String::new();
    let read = io::stdin().read_line(&mut answer);
    read.map_err(|source| Error::System { what: "the answer cannot be read".into(), source })?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Error::usage("nothing was changed", "Answer y, or pass --yes."))
}
