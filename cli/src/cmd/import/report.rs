//! What is moved, by entrypoint and state, and what stands in the way.

use super::Args;
use super::old::Old;
use super::page::Job;
use super::schedules::Schedule;
use crate::cmd::Context;
use crate::output::{Answer, Row, count, line};
use crate::text::harmless;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Jobs, counted: by entrypoint, what they were, and what becomes of them.
#[derive(Default)]
pub struct Jobs(BTreeMap<(String, String, Fate), i64>);

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Moved,
    Left(String),
}

/// Why nothing is moved, and what to do about it.
pub struct Problem {
    message: String,
    hint: String,
}

/// All of it.
pub struct Report {
    schema: String,
    prefix: String,
    keep: bool,
    pub jobs: Jobs,
    pub schedules: Vec<Schedule>,
    pub problems: Vec<Problem>,
    pub is_moved: bool,
}

impl Jobs {
    pub fn moved(&mut self, job: &Job) {
        self.add(job, Fate::Moved);
    }

    pub fn left(&mut self, job: &Job, why: &str) {
        self.add(job, Fate::Left(why.to_owned()));
    }

    fn add(&mut self, job: &Job, fate: Fate) {
        *self.0.entry((job.entrypoint.clone(), job.was.clone(), fate)).or_default() += 1;
    }

    /// Those of which some are moved.
    pub fn entrypoints(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter(|(_, _, fate)| *fate == Fate::Moved).map(|(entrypoint, ..)| entrypoint.as_str())
    }

    /// How many are moved, or would be.
    fn count(&self) -> i64 {
        self.0.iter().filter(|((_, _, fate), _)| *fate == Fate::Moved).map(|(_, jobs)| jobs).sum()
    }

    fn rows(&self, context: &Context) -> Vec<Row> {
        let row = |((entrypoint, was, fate), jobs): (&(String, String, Fate), &i64)| {
            let becomes = match fate {
                Fate::Moved if was == "failed" => "failed".to_owned(),
                Fate::Moved => "queued".to_owned(),
                Fate::Left(why) => format!("left: {why}"),
            };
            row(json!({ "entrypoint": context.unprefixed(entrypoint), "was": was, "becomes": becomes, "jobs": jobs }))
        };
        self.0.iter().map(row).collect()
    }
}

impl Problem {
    pub fn new(message: String, hint: &str) -> Self {
        Self { message, hint: hint.to_owned() }
    }
}

impl Report {
    pub fn of(old: &Old, keep: bool) -> Self {
        let (schema, prefix) = (old.schema.clone(), old.prefix.clone());
        let (jobs, schedules, problems) = (Jobs::default(), vec![], vec![]);
        Self { schema, prefix, keep, jobs, schedules, problems, is_moved: false }
    }

    /// Says it. No where something stands in the way.
    pub fn tell(&self, context: &Context, args: &Args) -> Answer {
        let (jobs, schedules) = (self.jobs.rows(context), self.schedules(context));
        if context.output.json {
            let problems: Vec<Value> = self
                .problems
                .iter()
                .map(|problem| json!({ "message": problem.message, "hint": problem.hint }))
                .collect();
            context.output.value(&json!({
                "schema": self.schema, "tables_prefix": self.prefix, "dry_run": args.dry_run, "moved": self.is_moved,
                "kept": self.keep || !self.is_moved, "jobs": jobs, "schedules": schedules, "problems": problems,
            }));
            return self.problems.is_empty().into();
        }
        if !jobs.is_empty() {
            context.output.table(&jobs, "");
        }
        if !schedules.is_empty() {
            line("");
            context.output.table(&schedules, "");
            line("");
        }
        line(&self.sentence());
        for problem in &self.problems {
            eprintln!("pgq: {}\nhint: {}", harmless(&problem.message), harmless(&problem.hint));
        }
        self.problems.is_empty().into()
    }

    fn sentence(&self) -> String {
        let schedules = self.schedules.iter().filter(|schedule| schedule.is_moved()).count();
        let schedules = count(i64::try_from(schedules).unwrap_or(i64::MAX), "schedule");
        let what = format!("{} and {schedules}", count(self.jobs.count(), "job"));
        match (self.is_moved, self.problems.is_empty(), self.keep) {
            (true, _, false) => format!("{what} moved"),
            (true, _, true) => format!("{what} copied; the old tables are as they were"),
            (false, true, _) => format!("{what} can be moved; nothing was changed"),
            (false, false, _) => "nothing was changed".to_owned(),
        }
    }

    fn schedules(&self, context: &Context) -> Vec<Row> {
        let of = |schedule: &Schedule| {
            row(json!({
                "schedule": schedule.name, "cron": schedule.cron, "entrypoint": context.unprefixed(&schedule.entrypoint),
                "last_run": schedule.last_run, "next_run": schedule.next_run, "becomes": schedule.becomes(),
            }))
        };
        self.schedules.iter().map(of).collect()
    }
}

fn row(value: Value) -> Row {
    match value {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}
