//! `pgq man`: the manual pages, made of the same words as the help.

use crate::error::{Error, Result};
use crate::help;
use crate::output::{Answer, line};
use clap_mangen::Man;
use std::path::PathBuf;

/// Where to.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq man | man -l -\n  pgq man --dir ~/.local/share/man/man1")]
pub struct Args {
    /// Write all pages, one for each command, into this folder, which must exist
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Answer> {
    let wrong = |what: &str| {
        let what = what.to_owned();
        move |source| Error::System { what, source }
    };
    match &args.dir {
        Some(dir) => clap_mangen::generate_to(help::command(), dir).map_err(wrong(&dir.display().to_string()))?,
        None => {
            let mut page = vec![];
            Man::new(help::command()).render(&mut page).map_err(wrong("the manual page"))?;
            line(&String::from_utf8_lossy(&page));
        }
    }
    Ok(Answer::Yes)
}
