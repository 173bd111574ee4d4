//! Jobs: looked at, all of them, before the first one is moved.

use super::old::Old;
use super::page::{Page, TYPES};
use super::report::{Jobs, Problem};
use super::{Args, Ends, OnConflict};
use crate::error::Result;
use crate::output::{count, grouped};
use crate::query;
use crate::sql;
use indicatif::{ProgressBar, ProgressStyle};
use pgqueuer_client::Error as Refused;
use std::collections::HashSet;
use tokio_postgres::types::{ToSql, Type};

/// So many examples of one problem are named.
const NAMED: usize = 5;
/// Why a job stays that could be moved else.
const TAKEN: &str = "its dedupe key belongs to a job here";

/// What is looked at, and how.
pub struct Look<'a> {
    pub ends: &'a Ends<'a>,
    pub old: &'a Old,
    /// Goes before every entrypoint.
    pub prefix: &'a str,
    /// How long after its last heartbeat a worker counts as alive.
    pub timeout: &'a str,
}

/// What was found.
#[derive(Default)]
pub struct Seen {
    /// How many jobs there are.
    pub count: u64,
    alive: i64,
    refused: Examples,
    taken: Examples,
}

/// How many, and the first of them.
#[derive(Default)]
struct Examples {
    count: i64,
    first: Vec<String>,
}

impl Examples {
    fn add(&mut self, text: impl FnOnce() -> String) {
        self.count += 1;
        if self.first.len() < NAMED {
            self.first.push(text());
        }
    }

    fn in_words(&self) -> String {
        let rest = if self.first.len() < usize::try_from(self.count).unwrap_or(usize::MAX) { ", …" } else { "" };
        format!("{}{rest}", self.first.join(", "))
    }
}

impl Look<'_> {
    /// Looks at all jobs without their payloads, and says in `jobs` what would become of them.
    pub async fn at_all(&self, jobs: &mut Jobs) -> Result<Seen> {
        let mut seen = Seen::default();
        let mut above = i64::MIN;
        while let Some(page) = self.page(above, false).await? {
            above = page.last();
            seen.alive += page.alive;
            let taken = self.taken(&page).await?;
            for job in &page.jobs {
                seen.count += 1;
                let key = job.dedupe_key.as_ref().filter(|key| taken.contains(*key));
                match (&job.trouble, key) {
                    (Some(trouble), _) => {
                        seen.refused.add(|| format!("{} ({trouble})", job.id));
                        jobs.left(job, trouble);
                    }
                    (None, Some(key)) => {
                        seen.taken.add(|| format!("\"{key}\""));
                        jobs.left(job, TAKEN);
                    }
                    (None, None) => jobs.moved(job),
                }
            }
        }
        Ok(seen)
    }

    /// Moves all that can be moved and says what became of them.
    pub async fn moved(&self, args: &Args, count: u64) -> Result<Jobs> {
        let progress = progress(count);
        let (mut jobs, mut above) = (Jobs::default(), i64::MIN);
        while let Some(page) = self.page(above, true).await? {
            above = page.last();
            let mut answers = self.import(&page, args.on_conflict).await?.into_iter();
            let mut gone = vec![];
            for job in &page.jobs {
                match &job.trouble {
                    Some(trouble) => jobs.left(job, trouble),
                    None if answers.next().flatten().is_none() => jobs.left(job, TAKEN),
                    None => {
                        jobs.moved(job);
                        gone.push(job.id);
                    }
                }
            }
            if !args.keep {
                self.remove(&self.old.queue, &gone).await?;
            }
            progress.inc(page.jobs.len() as u64);
        }
        progress.finish_and_clear();
        Ok(jobs)
    }

    async fn page(&self, above: i64, with_payloads: bool) -> Result<Option<Page>> {
        let parameters: [query::Parameter; 4] = [
            (&above, Type::INT8),
            (&self.prefix, Type::TEXT),
            (&self.timeout, Type::TEXT),
            (&with_payloads, Type::BOOL),
        ];
        let read = self.old.named(sql!("import_read"));
        let rows = self.ends.source.query_typed(&read, &parameters).await.map_err(Refused::from)?;
        Ok(rows.first().map(Page::read).transpose()?.flatten())
    }

    async fn taken(&self, page: &Page) -> Result<HashSet<String>> {
        let keys: Vec<&str> = page.movable().filter_map(|job| job.dedupe_key.as_deref()).collect();
        if keys.is_empty() {
            return Ok(HashSet::new());
        }
        let rows = self.ends.target.query_typed(sql!("import_taken"), &[(&keys, Type::TEXT_ARRAY)]).await;
        let rows = rows.map_err(Refused::from)?;
        let taken: Option<Vec<String>> = rows.first().map(|row| row.try_get(0)).transpose().map_err(Refused::from)?;
        Ok(taken.unwrap_or_default().into_iter().collect())
    }

    /// The ids that those have here which can be moved.
    async fn import(&self, page: &Page, on_conflict: OnConflict) -> Result<Vec<Option<i64>>> {
        if page.movable().next().is_none() {
            return Ok(vec![]);
        }
        let on_conflict = if on_conflict == OnConflict::Skip { "skip" } else { "raise" };
        let arguments = page.arguments.iter().map(|argument| argument as &(dyn ToSql + Sync));
        let mut parameters: Vec<query::Parameter> = arguments.zip(TYPES).collect();
        parameters.push((&on_conflict, Type::TEXT));
        let rows = self.ends.target.query_typed(sql!("import_jobs"), &parameters).await.map_err(Refused::from)?;
        let ids = rows.first().map(|row| row.try_get(0)).transpose().map_err(Refused::from)?;
        Ok(ids.unwrap_or_default())
    }

    /// Removes rows of an old table.
    pub async fn remove(&self, table: &str, ids: &[i64]) -> Result<()> {
        let remove = sql!("import_remove").replace("{table}", table);
        self.ends.source.query_typed(&remove, &[(&ids, Type::INT8_ARRAY)]).await.map_err(Refused::from)?;
        Ok(())
    }
}

impl Seen {
    /// What stands in the way.
    pub fn problems(&self, args: &Args, problems: &mut Vec<Problem>) {
        if self.alive > 0 && !args.take_picked {
            let message = format!("{} picked by workers that were heard of lately", are(self.alive));
            let hint = "Stop the old workers and wait until they have ended. --take-picked takes these jobs all the same: where \
                        their workers live they run twice.";
            problems.push(Problem::new(message, hint));
        }
        if self.refused.count > 0 && !args.leave_refused {
            let message = format!("{} not to be moved: {}", are(self.refused.count), self.refused.in_words());
            problems.push(Problem::new(message, "Pass --leave-refused to leave them in the old table."));
        }
        if self.taken.count > 0 && args.on_conflict == OnConflict::Raise {
            let keys = self.taken.in_words();
            let message = format!("dedupe keys of {} belong to jobs here: {keys}", count(self.taken.count, "job"));
            problems.push(Problem::new(message, "Pass --on-conflict skip to leave those in the old table."));
        }
    }
}

fn are(jobs: i64) -> String {
    if jobs == 1 { "1 job is".into() } else { format!("{} jobs are", grouped(jobs)) }
}

/// On a terminal only.
fn progress(count: u64) -> ProgressBar {
    let progress = ProgressBar::new(count);
    let style = ProgressStyle::with_template("{wide_bar} {human_pos} of {human_len} jobs  {eta} left");
    style.map_or(progress.clone(), |style| progress.with_style(style))
}
