//! Schedules: the old queue knows them by expression and entrypoint, this one by name.

use super::jobs::Look;
use super::report::Problem;
use super::{Args, OnConflict};
use crate::error::Result;
use crate::query;
use crate::sql;
use pgqueuer_client::Error as Refused;
use serde::Deserialize;
use serde_json::Value;
use tokio_postgres::types::Type;

/// The longest name, bytes.
const LONGEST: usize = 255;

/// A schedule of the old queue.
#[derive(Debug, Deserialize)]
pub struct Schedule {
    id: i64,
    pub cron: String,
    pub entrypoint: String,
    pub last_run: Option<String>,
    pub next_run: String,
    is_picked: bool,
    alive: bool,
    is_due: bool,
    /// Its name here.
    #[serde(skip)]
    pub name: String,
    /// Why it cannot be made here.
    #[serde(skip)]
    trouble: Option<String>,
    /// There is one of that name.
    #[serde(skip)]
    is_taken: bool,
}

impl Schedule {
    pub fn is_moved(&self) -> bool {
        self.trouble.is_none() && !self.is_taken
    }

    /// What becomes of it.
    pub fn becomes(&self) -> String {
        match &self.trouble {
            Some(trouble) => format!("left: {trouble}"),
            None if self.is_taken => "left: there is one of that name".into(),
            None if self.is_due || self.is_picked => "ticks, first at once".into(),
            None => "ticks".into(),
        }
    }
}

/// Reads them, names them, and tries their expressions.
pub async fn look(look: &Look<'_>) -> Result<Vec<Schedule>> {
    if look.old.schedules.is_none() {
        return Ok(vec![]);
    }
    let parameters: [query::Parameter; 2] = [(&look.prefix, Type::TEXT), (&look.timeout, Type::TEXT)];
    let read = look.old.named(sql!("import_schedules"));
    let rows = look.ends.source.query_typed(&read, &parameters).await.map_err(Refused::from)?;
    let of_row = |row| serde_json::from_value(Value::Object(row)).map_err(|error| Refused::Answer(error.into()).into());
    let mut all: Vec<Schedule> = query::read(&rows)?.into_iter().map(of_row).collect::<Result<_>>()?;
    let entrypoints: Vec<String> = all.iter().map(|schedule| schedule.entrypoint.clone()).collect();
    for schedule in &mut all {
        let is_alone = entrypoints.iter().filter(|entrypoint| **entrypoint == schedule.entrypoint).count() == 1;
        schedule.name = match is_alone {
            true => schedule.entrypoint.clone(),
            false => format!("{} ({})", schedule.entrypoint, schedule.cron),
        };
        try_out(look, schedule).await?;
    }
    Ok(all)
}

/// In a savepoint: what the server refuses must not end the transaction.
async fn try_out(look: &Look<'_>, schedule: &mut Schedule) -> Result<()> {
    if schedule.entrypoint.is_empty() || schedule.name.len() > LONGEST {
        schedule.trouble = Some("its name has not 1 to 255 bytes".into());
        return Ok(());
    }
    let target = look.ends.target;
    target.batch_execute("SAVEPOINT expression").await.map_err(Refused::from)?;
    let parameters: [query::Parameter; 2] = [(&schedule.name, Type::TEXT), (&schedule.cron, Type::TEXT)];
    let tried = target.query_typed(sql!("import_ticks"), &parameters).await.map_err(Refused::from);
    target.batch_execute("ROLLBACK TO SAVEPOINT expression").await.map_err(Refused::from)?;
    match tried {
        Ok(rows) => {
            let is = |place| rows.first().is_some_and(|row| row.get(place));
            schedule.is_taken = is(0);
            schedule.trouble = (!is(1)).then(|| "it never ticks".into());
        }
        Err(Refused::Refused(refusal)) if refusal.sqlstate == "22023" => {
            let detail = refusal.detail.as_deref().unwrap_or(&refusal.message);
            schedule.trouble = Some(detail.trim_end_matches('.').to_owned());
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

/// What stands in the way.
pub fn problems(all: &[Schedule], args: &Args, problems: &mut Vec<Problem>) {
    for schedule in all {
        let told = format!("the schedule of \"{}\" at \"{}\"", schedule.entrypoint, schedule.cron);
        if schedule.alive && !args.take_picked {
            let hint = "Stop the old workers and wait until they have ended. --take-picked takes it all the same: where its \
                        worker lives it runs twice.";
            problems.push(Problem::new(format!("{told} is run by a worker that was heard of lately"), hint));
        }
        match &schedule.trouble {
            Some(trouble) if !args.leave_refused => {
                let hint = "Pass --leave-refused to leave it in the old table, and write it anew: pgq schedules add.";
                problems.push(Problem::new(format!("{told} is not to be moved: {trouble}"), hint));
            }
            None if schedule.is_taken && args.on_conflict == OnConflict::Raise => {
                let message = format!("{told} would be named \"{}\", and there is one of that name", schedule.name);
                problems.push(Problem::new(message, "Pass --on-conflict skip to leave it in the old table."));
            }
            _ => {}
        }
    }
}

/// Takes those over that can be.
pub async fn take(look: &Look<'_>, all: &mut [Schedule], args: &Args) -> Result<()> {
    let mut gone = vec![];
    for schedule in all.iter_mut().filter(|schedule| schedule.is_moved()) {
        // One that was begun and not ended comes again, at once.
        let next = if schedule.is_picked { "-infinity" } else { schedule.next_run.as_str() };
        let parameters: [query::Parameter; 5] = [
            (&schedule.name, Type::TEXT),
            (&schedule.cron, Type::TEXT),
            (&schedule.entrypoint, Type::TEXT),
            (&next, Type::TEXT),
            (&schedule.last_run, Type::TEXT),
        ];
        let rows = look.ends.target.query_typed(sql!("import_schedule"), &parameters).await.map_err(Refused::from)?;
        let id: Option<i64> = rows.first().and_then(|row| row.get(0));
        schedule.is_taken = id.is_none();
        if id.is_some() {
            gone.push(schedule.id);
        }
    }
    if let (Some(table), false) = (&look.old.schedules, args.keep) {
        look.remove(table, &gone).await?;
    }
    Ok(())
}
