//! The commands, a file each.

mod backlog;
mod cancel;
mod clear;
mod completions;
mod configure;
mod delete;
mod durability;
mod ended;
mod enqueue;
mod failed;
mod grant;
mod health;
mod import;
mod install;
mod job;
mod jobs;
mod listen;
mod log;
mod man;
mod mcp;
mod metrics;
mod pause;
mod requeue;
mod resume;
mod revoke;
mod schedules;
mod stale;
mod top;
mod uninstall;
mod upgrade;
mod verify;
mod web;
pub mod work;
mod workers;

use crate::args::Global;
use crate::connect::Server;
use crate::error::Result;
use crate::output::{Answer, Output};
use clap::Subcommand;
use pgqueuer_client::Postgres;

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Put the queue into a database
    Install(install::Args),
    /// Check that everything of the queue is there
    Verify(verify::Args),
    /// Ask how the queue is, and what to do about it
    Health(health::Args),
    /// Bring the database to the version of the server's files
    Upgrade(upgrade::Args),
    /// Move jobs and schedules of the Python PgQueuer here
    Import(import::Args),
    /// Remove the queue and all its jobs from a database
    Uninstall(uninstall::Args),
    /// Give a role the rights of a producer, worker, monitor or admin
    Grant(grant::Args),
    /// Take all rights on the queue from a role
    Revoke(revoke::Args),
    /// Show or set what survives a crash of the server
    Durability(durability::Args),
    /// Enqueue a job, or a file of jobs
    #[command(visible_alias = "queue")]
    Enqueue(enqueue::Args),
    /// List live jobs, the next one first
    Jobs(jobs::Args),
    /// Show everything known of a job
    Job(job::Args),
    /// List jobs that were given up, with their errors
    Failed(failed::Args),
    /// Queue failed jobs again
    Requeue(requeue::Args),
    /// End jobs, whatever they are; those who run them are told
    Cancel(cancel::Args),
    /// Remove queued and failed jobs
    Delete(delete::Args),
    /// Remove all queued jobs
    Clear(clear::Args),
    /// Show or change limits, retries and what else is set for an entrypoint
    Configure(configure::Args),
    /// Stop handing out jobs of an entrypoint
    Pause(pause::Args),
    /// Hand them out again
    Resume(resume::Args),
    /// List, add, remove, pause, resume and run schedules
    Schedules(schedules::Args),
    /// Show what waits, by entrypoint, and why
    Backlog(backlog::Args),
    /// Show what ended, and how; --follow goes on
    Log(log::Args),
    /// List workers and what they hold
    Workers(workers::Args),
    /// List jobs that run for long, and workers that are not heard of
    Stale(stale::Args),
    /// Print what the server tells workers, as it comes
    Listen(listen::Args),
    /// Watch it all in a terminal, and act there
    #[command(visible_alias = "dashboard")]
    Top(top::Args),
    /// Run a program for each job, or post it to a URL
    Work(Box<work::Args>),
    /// Show it all in a browser, and act there
    Web(web::Args),
    /// Print what Prometheus reads, or serve it with --listen
    Metrics(metrics::Args),
    /// Let an AI assistant ask, by the Model Context Protocol
    Mcp(mcp::Args),
    /// Print the completions of a shell
    Completions(completions::Args),
    /// Print the manual page, or write all of them
    Man(man::Args),
}

/// What a command works with.
#[derive(Clone)]
pub struct Context {
    pub server: Server,
    pub queue: Postgres,
    pub global: Global,
    pub output: Output,
}

impl Context {
    /// An entrypoint's name in the database.
    pub fn prefixed(&self, entrypoint: &str) -> String {
        format!("{}{entrypoint}", self.global.prefix)
    }

    /// As its application calls it.
    pub fn unprefixed<'a>(&self, entrypoint: &'a str) -> &'a str {
        entrypoint.strip_prefix(&self.global.prefix).unwrap_or(entrypoint)
    }

    /// The same for many; none for none, which stands for all.
    pub fn all_prefixed(&self, entrypoints: &[String]) -> Option<Vec<String>> {
        let names: Vec<String> = entrypoints.iter().map(|name| self.prefixed(name)).collect();
        (!names.is_empty()).then_some(names)
    }
}

/// Runs a command.
pub async fn run(global: Global, command: Command) -> Result<Answer> {
    let output = Output { json: global.json };
    match command {
        Command::Completions(args) => return Ok(completions::run(&args)),
        Command::Man(args) => return man::run(&args),
        _ => {}
    }
    let server = Server::named_by(&global)?;
    let context = Context { queue: server.queue()?, server, output, global };
    let answer = dispatch(&context, command).await;
    answer.map_err(|error| error.at(&context.server))
}

async fn dispatch(context: &Context, command: Command) -> Result<Answer> {
    match command {
        Command::Install(args) => install::run(context, args).await,
        Command::Verify(args) => verify::run(context, args).await,
        Command::Health(args) => health::run(context, args).await,
        Command::Upgrade(args) => upgrade::run(context, args).await,
        Command::Import(args) => import::run(context, args).await,
        Command::Uninstall(args) => uninstall::run(context, args).await,
        Command::Grant(args) => grant::run(context, args).await,
        Command::Revoke(args) => revoke::run(context, args).await,
        Command::Durability(args) => durability::run(context, args).await,
        Command::Enqueue(args) => enqueue::run(context, args).await,
        Command::Jobs(args) => jobs::run(context, args).await,
        Command::Job(args) => job::run(context, args).await,
        Command::Failed(args) => failed::run(context, args).await,
        Command::Requeue(args) => requeue::run(context, args).await,
        Command::Cancel(args) => cancel::run(context, args).await,
        Command::Delete(args) => delete::run(context, args).await,
        Command::Clear(args) => clear::run(context, args).await,
        Command::Configure(args) => configure::run(context, args).await,
        Command::Pause(args) => pause::run(context, args).await,
        Command::Resume(args) => resume::run(context, args).await,
        Command::Schedules(args) => schedules::run(context, args).await,
        Command::Backlog(args) => backlog::run(context, args).await,
        Command::Log(args) => log::run(context, args).await,
        Command::Workers(args) => workers::run(context, args).await,
        Command::Stale(args) => stale::run(context, args).await,
        Command::Listen(args) => listen::run(context, args).await,
        Command::Top(args) => top::run(context, args).await,
        Command::Work(args) => work::run(context, *args).await,
        Command::Web(args) => web::run(context, args).await,
        Command::Metrics(args) => metrics::run(context, args).await,
        Command::Mcp(args) => mcp::run(context, args).await,
        Command::Completions(args) => Ok(completions::run(&args)),
        Command::Man(args) => man::run(&args),
    }
}
