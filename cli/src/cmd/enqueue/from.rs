//! A file of jobs, of any size: read by the batch, enqueued in one transaction.
//!
//! A thread reads while the server writes; both hold no more than a few batches, however long the file is.

use super::reader::{Batch, Batches, Wrong};
use super::record::Defaults;
use super::refused;
use crate::cmd::Context;
use crate::error::{Error, Result};
use crate::output::{Answer, count};
use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use pgqueuer_client::{Error as Refused, OnConflict, Producer};
use serde_json::json;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use tokio::sync::mpsc::{Receiver, channel};
use tokio_postgres::{Client, Transaction};

/// So many batches may wait for the server.
const AHEAD: usize = 2;

/// Which file.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A file of jobs")]
pub struct FromFile {
    /// Enqueue the jobs of a file, one a line; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["argument", "payload", "json_payload", "file"])]
    from: Option<PathBuf>,
    /// What the file is; else its name tells, and JSON lines are assumed
    #[arg(long, value_enum, requires = "from")]
    format: Option<Format>,
    /// Commit after so many jobs: not all or none, but what stands before a mistake stays
    #[arg(long, value_name = "N", requires = "from", value_parser = clap::value_parser!(u64).range(1..))]
    commit_every: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A line, a job: {"entrypoint": "mail", "payload": "x"}
    Jsonl,
    /// With a first line of names
    Csv,
}

/// What has been done so far.
#[derive(Debug, Default)]
struct Done {
    enqueued: usize,
    skipped: usize,
    /// The line up to which all is committed.
    committed: u64,
    /// The last line of what is not.
    line: u64,
}

impl FromFile {
    pub fn is_given(&self) -> bool {
        self.from.is_some()
    }

    /// Enqueues all of them, or none.
    ///
    /// # Errors
    /// [`Error::Line`], which names the line that is wrong or was refused.
    pub async fn run(self, context: &Context, entrypoint: Option<String>, on_conflict: OnConflict) -> Result<Answer> {
        let file = self.from.unwrap_or_default();
        let defaults = Defaults { prefix: context.global.prefix.clone(), entrypoint, on_conflict };
        let (source, length) = open(&file)?;
        let is_csv = file.extension().is_some_and(|kind| kind.eq_ignore_ascii_case("csv"));
        let batches = match self.format {
            Some(Format::Csv) => Batches::of_csv(source, defaults),
            None if is_csv => Batches::of_csv(source, defaults),
            _ => Batches::of_json(source, defaults),
        };
        let batches = batches.of_at_most(self.commit_every.unwrap_or(u64::MAX));
        let (mut client, _) = context.server.session().await?;
        let progress = progress(length);
        let (mut done, batches) = (Done::default(), read_ahead(batches));
        let name = if file.as_os_str() == "-" { "standard input".into() } else { file.display().to_string() };
        let ended = enqueue(&mut client, batches, self.commit_every, &progress, &mut done).await;
        progress.finish_and_clear();
        match ended {
            Ok(()) => Ok(tell(context, &done)),
            Err(Failure::At(line, source)) => {
                Err(Error::Line { file: name, line, committed: done.committed, source: Box::new(source) })
            }
            Err(Failure::Other(error)) => Err(error),
        }
    }
}

fn open(file: &Path) -> Result<(Box<dyn Read + Send>, Option<u64>)> {
    if file.as_os_str() == "-" {
        return Ok((Box::new(std::io::stdin()), None));
    }
    let wrong = |source| Error::System { what: format!("--from {}", file.display()), source };
    let opened = File::open(file).map_err(wrong)?;
    let length = opened.metadata().ok().filter(std::fs::Metadata::is_file).map(|is| is.len());
    Ok((Box::new(opened), length))
}

/// On a terminal only.
fn progress(length: Option<u64>) -> ProgressBar {
    let (progress, template) = match length {
        Some(length) => (ProgressBar::new(length), "{wide_bar} {percent} %  {msg}  {eta} left"),
        None => (ProgressBar::new_spinner(), "{spinner} {msg}  {elapsed}"),
    };
    ProgressStyle::with_template(template).map_or(progress.clone(), |style| progress.with_style(style))
}

fn read_ahead(batches: Batches) -> Receiver<Result<Batch, Wrong>> {
    let (sender, receiver) = channel(AHEAD);
    std::thread::spawn(move || {
        for batch in batches {
            // Nobody wants the rest after a mistake.
            if sender.blocking_send(batch).is_err() {
                break;
            }
        }
    });
    receiver
}

/// What stopped it.
enum Failure {
    At(u64, Error),
    Other(Error),
}

impl From<Refused> for Failure {
    fn from(error: Refused) -> Self {
        Self::Other(error.into())
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        Refused::from(error).into()
    }
}

async fn enqueue(
    client: &mut Client,
    mut batches: Receiver<Result<Batch, Wrong>>,
    commit_every: Option<u64>,
    progress: &ProgressBar,
    done: &mut Done,
) -> Result<(), Failure> {
    let mut over = false;
    while !over {
        let mut transaction = client.transaction().await?;
        let mut since = 0;
        while commit_every.is_none_or(|every| since < every) {
            let Some(batch) = batches.recv().await else {
                over = true;
                break;
            };
            let batch = batch.map_err(|Wrong { line, message }| {
                Failure::At(line, Error::usage(message, "pgq enqueue --help has an example of a line."))
            })?;
            since += batch.jobs.len() as u64;
            progress.inc(batch.bytes);
            one(&mut transaction, batch, done).await?;
            progress.set_message(count(i64::try_from(done.enqueued).unwrap_or(i64::MAX), "job"));
        }
        transaction.commit().await?;
        done.committed = done.line;
    }
    Ok(())
}

/// One batch. Where it is refused, the line that is to blame is looked for.
async fn one(transaction: &mut Transaction<'_>, batch: Batch, done: &mut Done) -> Result<(), Failure> {
    let savepoint = transaction.transaction().await?;
    match savepoint.enqueue_many(batch.jobs.clone()).await {
        Ok(ids) => {
            savepoint.commit().await?;
            let enqueued = ids.iter().flatten().count();
            done.enqueued += enqueued;
            done.skipped += ids.len() - enqueued;
            done.line = batch.lines.last().copied().unwrap_or(done.line);
            Ok(())
        }
        Err(error @ Refused::Refused(_)) => {
            savepoint.rollback().await?;
            let found = refused::find(transaction, &batch.jobs).await?;
            let first = batch.lines.first().copied().unwrap_or_default();
            let (place, error) = found.unwrap_or((0, error));
            Err(Failure::At(batch.lines.get(place).copied().unwrap_or(first), error.into()))
        }
        Err(error) => Err(error.into()),
    }
}

fn tell(context: &Context, done: &Done) -> Answer {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let skipped = match done.skipped {
        0 => String::new(),
        skipped => format!("; {} skipped", count(number(skipped), "job")),
    };
    let sentence = format!("{} queued{skipped}", count(number(done.enqueued), "job"));
    context.output.done(&sentence, json!({ "enqueued": done.enqueued, "skipped": done.skipped }));
    Answer::Yes
}
