//! `pgq import`: moves jobs, held failures and schedules of the Python PgQueuer into this queue, all or none.
//!
//! - this file     what can be asked, and the transactions: the old tables are locked, everything is looked at, then moved
//! - [`old`]       the old installation
//! - [`page`]      its jobs, some at a time
//! - [`jobs`]      looks at them and moves them
//! - [`schedules`] the same for schedules
//! - [`report`]    what is moved, and what stands in the way

mod jobs;
mod old;
mod page;
mod report;
mod schedules;

use super::Context;
use crate::connect::Server;
use crate::error::{Error, Result};
use crate::output::Answer;
use crate::sql;
use crate::time::Length;
use clap::ValueEnum;
use old::Old;
use pgqueuer_client::Error as Refused;
use report::Report;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, IsolationLevel, Transaction};

/// Of what, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  pgq import --dry-run\n  pgq import --paused\n  \
                        pgq import --tables-prefix acme_ --keep\n  pgq import --from postgresql://old/shop\n\n\
                        Stop the old workers and producers first. Jobs keep their order, priority, times, attempts, keys, headers \
                        and payloads, and get new ids; those that are held as failed stay so, with their last traceback. Log \
                        and statistics stay where they are. What is moved is removed from the old tables in the same \
                        transaction; with --from, in one that is committed right after it.")]
pub struct Args {
    /// The schema of the old tables, where there is more than one installation
    #[arg(long, value_name = "SCHEMA")]
    schema: Option<String>,
    /// What goes before the names of the old tables (PGQUEUER_PREFIX of the old workers), where there is more than one
    #[arg(long, value_name = "PREFIX")]
    tables_prefix: Option<String>,
    /// The database of the old tables, where it is another one
    #[arg(long, value_name = "DSN")]
    from: Option<String>,
    /// Show what would be moved and what stands in the way, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Leave the old tables as they are
    #[arg(long)]
    keep: bool,
    /// Pause the entrypoints, so that nothing runs before pgq resume
    #[arg(long)]
    paused: bool,
    /// What becomes of a job whose dedupe key, or a schedule whose name, is taken here: raise moves nothing, skip leaves it
    #[arg(long, value_enum, default_value = "raise")]
    on_conflict: OnConflict,
    /// Leave what cannot be moved: schedules whose expressions are not understood here, headers that are no object
    #[arg(long)]
    leave_refused: bool,
    /// Take jobs and schedules, too, whose workers were heard of lately; where they live, what they run runs twice
    #[arg(long)]
    take_picked: bool,
    /// Until when after its last heartbeat a worker counts as alive (--heartbeat-timeout of the old workers)
    #[arg(long, value_name = "LENGTH", default_value = "30 s")]
    heartbeat_timeout: Length,
    /// How long to wait for the old workers and producers to be out of the way
    #[arg(long, value_name = "LENGTH", default_value = "10 s")]
    lock_timeout: Length,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnConflict {
    Raise,
    Skip,
}

/// Where jobs come from and where they go: one transaction twice, where both are one database.
struct Ends<'a> {
    source: &'a Transaction<'a>,
    target: &'a Transaction<'a>,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let (mut here, _) = context.server.session().await?;
    let report = match &args.from {
        None => {
            let transaction = begin(&mut here, &args).await?;
            let report = import(context, &args, &Ends { source: &transaction, target: &transaction }).await?;
            if report.is_moved {
                transaction.commit().await.map_err(Refused::from)?;
            }
            report
        }
        Some(dsn) => from_elsewhere(context, &args, &mut here, dsn).await?,
    };
    Ok(report.tell(context, &args))
}

/// The old rows are removed once ours are committed: should that fail, there are too many jobs, not too few.
async fn from_elsewhere(context: &Context, args: &Args, here: &mut Client, dsn: &str) -> Result<Report> {
    let mut global = context.global.clone();
    global.dsn = Some(dsn.to_owned());
    let server = Server::named_by(&global)?;
    let (mut there, _) = server.session().await.map_err(|error| error.at(&server))?;
    let source = begin(&mut there, args).await.map_err(|error| error.at(&server))?;
    let target = begin(here, args).await?;
    let report = import(context, args, &Ends { source: &source, target: &target }).await?;
    if report.is_moved {
        target.commit().await.map_err(Refused::from)?;
        source.commit().await.map_err(|error| {
            let message = format!("everything is imported, but the old rows could not be removed: {error}");
            let hint = "Do not import again, and start no old worker: remove the old tables, with the pgq of Python: pgq uninstall.";
            Error::Impossible { message, hint: hint.into() }
        })?;
    }
    Ok(report)
}

/// A dry run sees everything as it is at one time, and can change nothing.
async fn begin<'a>(client: &'a mut Client, args: &Args) -> Result<Transaction<'a>> {
    let builder = client.build_transaction();
    let begun = if args.dry_run {
        builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().await
    } else {
        builder.isolation_level(IsolationLevel::ReadCommitted).start().await
    };
    Ok(begun.map_err(Refused::from)?)
}

async fn import(context: &Context, args: &Args, ends: &Ends<'_>) -> Result<Report> {
    let rows = ends.target.query_typed(sql!("import_can"), &[]).await.map_err(Refused::from)?;
    if !rows.first().is_some_and(|row| row.get(0)) {
        let message = "the extension in this database cannot import: pgqueuer 0.2.0 or later can".into();
        return Err(Error::Impossible {
            message,
            hint: "Run pgq install, or pgq upgrade where it is installed.".into(),
        });
    }
    let old = Old::find(ends.source, args).await?;
    if !args.dry_run {
        lock(&old, ends.source, args).await?;
    }
    let (prefix, timeout) = (context.global.prefix.as_str(), in_words(args.heartbeat_timeout));
    let look = jobs::Look { ends, old: &old, prefix, timeout: &timeout };
    let mut report = Report::of(&old, args.keep);
    let seen = look.at_all(&mut report.jobs).await?;
    let mut found = schedules::look(&look).await?;
    seen.problems(args, &mut report.problems);
    schedules::problems(&found, args, &mut report.problems);
    if !args.dry_run && report.problems.is_empty() {
        report.jobs = look.moved(args, seen.count).await?;
        schedules::take(&look, &mut found, args).await?;
        if args.paused {
            pause(ends.target, &report, &found).await?;
        }
        report.is_moved = true;
    }
    report.schedules = found;
    Ok(report)
}

/// Jobs first, as the old workers do.
async fn lock(old: &Old, source: &Transaction<'_>, args: &Args) -> Result<()> {
    let patience = in_words(args.lock_timeout);
    source.query_typed(sql!("import_patience"), &[(&patience, Type::TEXT)]).await.map_err(Refused::from)?;
    for table in std::iter::once(&old.queue).chain(&old.schedules) {
        let locked = source.batch_execute(&sql!("import_lock").replace("{table}", table)).await;
        locked.map_err(|error| match Refused::from(error) {
            Refused::Refused(refusal) if refusal.sqlstate == "55P03" => {
                let message = format!("somebody writes to {table}, and is not done after {patience}");
                let hint = "Stop the old workers and producers, or wait for longer: --lock-timeout.".into();
                Error::Impossible { message, hint }
            }
            Refused::Refused(refusal) if refusal.sqlstate == "42501" => {
                let hint = "It takes SELECT and DELETE on the old tables of jobs and schedules, and SELECT on that of the log.".into();
                Error::Impossible { message: refusal.message, hint }
            }
            other => other.into(),
        })?;
    }
    Ok(())
}

async fn pause(target: &Transaction<'_>, report: &Report, schedules: &[schedules::Schedule]) -> Result<()> {
    let of_schedules =
        schedules.iter().filter(|schedule| schedule.is_moved()).map(|schedule| schedule.entrypoint.as_str());
    let names: std::collections::BTreeSet<&str> = report.jobs.entrypoints().chain(of_schedules).collect();
    for name in names {
        target.query_typed(sql!("import_pause"), &[(&name, Type::TEXT)]).await.map_err(Refused::from)?;
    }
    Ok(())
}

/// As the server reads it.
fn in_words(length: Length) -> String {
    format!("{}ms", length.0.as_millis())
}
