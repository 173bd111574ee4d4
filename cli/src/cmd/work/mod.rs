//! `pgq work`: any program as a worker, or any server that takes a POST.
//!
//! ```text
//! Worker of pgqueuer-client ─▶ task ─┬▶ program ─▶ group ─▶ verdict ─▶ outcome
//!                                    └▶ http ───▶ answer ──────────────┘
//! ```
//!
//! - [`entrypoints`] which jobs, how many at one time
//! - [`task`]        one attempt, and what cuts it short
//! - [`program`]     a process a job; [`executable`] its file, [`environment`] what it is told
//! - [`group`]       a program and all that it starts; [`keeper`] ends them where this process is killed
//! - [`verdict`]     what an exit code says of the job; [`tail`] what was written last
//! - [`http`]        a request a job
//! - [`ending`]      signals, and the steps in which the worker stops
//! - [`report`]      a line a job; [`screen`] who writes it; [`progress`] a bar; [`chatter`] what the client has to say

mod chatter;
mod ending;
mod entrypoints;
mod environment;
mod executable;
mod group;
mod http;
pub mod keeper;
mod program;
mod progress;
mod report;
mod screen;
mod tail;
mod task;
mod verdict;

use super::Context;
use crate::error::{Error, Result};
use crate::output::Answer;
use crate::time::Length;
use clap::{ArgAction, ArgGroup, ValueEnum};
use ending::{Ending, Signals};
use entrypoints::Named;
use http::{Given, Headers, Post};
use pgqueuer_client::{Entrypoint, Worker};
use program::{Program, Shown};
use report::{Lines, Report};
use screen::{Screen, Stream};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;
use task::{Doer, Task};

/// Without another word a request may take so long. A program may take as long as it likes.
const PATIENCE_WITH_HTTP: Duration = Duration::from_secs(60);
/// The worker is not to give up what still runs: [`Ending`] does.
const FOR_EVER: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// What to work on, and by what.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "pgq work [OPTIONS] --entrypoint <NAME[=N]> -- <PROGRAM> [ARGUMENT]...\n       \
                      pgq work [OPTIONS] --entrypoint <NAME[=N]> --http <URL>",
    group = ArgGroup::new("doer").required(true).args(["command", "http"]),
    after_help = "Examples:\n  pgq work --entrypoint fetch -- ./handler.py\n  pgq work --entrypoint fetch=8 --entrypoint mail --timeout \"5 min\" -- ./handler.py\n  \
                        pgq work --entrypoint report --drain -- sh -c 'cat > report.txt'\n  \
                        pgq work --entrypoint order --concurrency 4 --http https://shop.example/jobs --header-file secret\n\n\
                        The payload comes on standard input; PGQ_ID, PGQ_ENTRYPOINT, PGQ_ATTEMPT, PGQ_HEADERS and others are in \
                        the environment. Exit code 0: done. 75: again later. 65: give up. Any other, or a signal: failed, \
                        tried again after the backoff of the entrypoint. docs/work.md tells more."
)]
pub struct Args {
    /// Take jobs of this entrypoint, at most N of them at one time; may be given more than once
    #[arg(short, long = "entrypoint", required = true, value_name = "NAME[=N]")]
    entrypoints: Vec<Named>,
    /// How many jobs at one time, over all entrypoints; the sum of theirs if not given, and one for each without a number
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    concurrency: Option<u32>,
    /// The program to run for each job, and its arguments
    #[arg(last = true, value_name = "PROGRAM")]
    command: Vec<OsString>,
    /// Post each job to this URL instead
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    #[command(flatten)]
    headers: Headers,
    /// How long an attempt may take; then it has failed. For ever if not given, with --http 60 s; 0s is for ever
    #[arg(long, value_name = "LENGTH")]
    timeout: Option<Length>,
    /// How long a program has to end after SIGTERM, before SIGKILL
    #[arg(long, value_name = "LENGTH", default_value = "10s")]
    grace: Length,
    /// When a job comes again that asked for it (exit code 75, HTTP 429) and did not say when
    #[arg(long, value_name = "LENGTH", default_value = "1min")]
    retry_delay: Length,
    /// How long the jobs stay ours when the server does not hear of us
    #[arg(long, value_name = "LENGTH", default_value = "30s")]
    lease: Length,
    /// How long running jobs are waited for when the worker is told to stop; then they are ended and given back
    #[arg(long, value_name = "LENGTH", default_value = "30s")]
    stop_timeout: Length,
    /// End when the queue is empty. Exit code 1 where the last attempt at any job failed
    #[arg(long)]
    drain: bool,
    /// End after so many jobs have begun
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_jobs: Option<u64>,
    /// Where what a program writes goes
    #[arg(long, value_enum, default_value = "show")]
    output: Written,
    /// Look for jobs each second instead of listening: behind pgbouncer in transaction mode
    #[arg(long)]
    no_listen: bool,
    /// A line for every job, not only for those that fail; twice: all that the worker does
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Written {
    /// To standard output and standard error; with --json both to standard error
    Show,
    /// Nowhere; the end of standard error is still kept as the error
    Drop,
}

pub async fn run(context: &Context, args: Args) -> Result<Answer> {
    let cannot_hear = |source| Error::System { what: "cannot hear signals".to_owned(), source };
    let signals = Signals::new().map_err(cannot_hear)?;
    let has_bar = args.drain && std::io::stderr().is_terminal();
    let screen = Arc::new(Screen::new(progress::bar(has_bar)));
    chatter::begin(args.verbose, screen.clone());
    let ending = Arc::new(Ending::new(args.grace.0));
    let lines = match (context.output.json, args.verbose) {
        (true, _) => Lines::Json,
        (false, 0) => Lines::Trouble,
        (false, _) => Lines::All,
    };
    let report = Arc::new(Report::new(lines, screen.clone(), args.drain));
    let task = Arc::new(Task {
        doer: doer(context, &args, &screen)?,
        prefix: context.global.prefix.clone(),
        timeout: timeout(&args),
        ending: ending.clone(),
        report: report.clone(),
        left: args.max_jobs.map(Into::into),
    });
    let worker = worker(context, &args, &task)?;
    let _watched = has_bar.then(|| progress::watch(context, names(context, &args), report.clone(), screen.clone()));
    let asked: Vec<&str> = args.entrypoints.iter().map(|named| named.name.as_str()).collect();
    screen.say(&format!("Working on {}. Ctrl-C ends it.", asked.join(", ")));
    let stop = ending.stop.clone().cancelled_owned();
    let work = async {
        let answer = if args.drain { worker.drain_until(stop).await } else { worker.run(stop).await };
        if args.drain {
            screen.write(Stream::Err, format!("{}\n", report.sum()).into_bytes()).await;
        }
        screen.close().await;
        answer
    };
    tokio::select! {
        answer = work => answer?,
        () = ending.overdue() => {}
        never = ending.listen(signals, args.stop_timeout.0, &screen) => match never {},
    }
    ended(&args, &ending, &report)
}

/// What the exit code says.
fn ended(args: &Args, ending: &Ending, report: &Report) -> Result<Answer> {
    if let Some(why) = ending.why_broken() {
        return Err(Error::System { what: "the worker has stopped".to_owned(), source: std::io::Error::other(why) });
    }
    let is_in_order = !(ending.at_once.is_cancelled() || args.drain && report.has_failed());
    Ok(is_in_order.into())
}

fn doer(context: &Context, args: &Args, screen: &Arc<Screen>) -> Result<Doer> {
    let retry_delay = args.retry_delay.0;
    if let Some(url) = &args.http {
        return Ok(Doer::Http(Box::new(Post::new(&Given { url, headers: &args.headers }, retry_delay)?)));
    }
    if args.headers.are_given() {
        return Err(Error::usage(
            "--header and --header-file are for --http",
            "A program is told what is in the environment: TOKEN=... pgq work ... -- ./handler.py",
        ));
    }
    let shown = match args.output {
        Written::Drop => Shown::Nothing,
        Written::Show if context.output.json => Shown::Aside,
        Written::Show => Shown::Both,
    };
    Ok(Doer::Program(Program::new(args.command.clone(), screen.clone(), shown, retry_delay)?))
}

fn timeout(args: &Args) -> Option<Duration> {
    let timeout = args.timeout.map(|timeout| timeout.0).or(args.http.as_ref().map(|_| PATIENCE_WITH_HTTP));
    timeout.filter(|timeout| !timeout.is_zero())
}

/// Their names in the queue.
fn names(context: &Context, args: &Args) -> Vec<String> {
    args.entrypoints.iter().map(|named| context.prefixed(&named.name)).collect()
}

fn worker(context: &Context, args: &Args, task: &Arc<Task>) -> Result<Worker> {
    let said = args.concurrency.map(|jobs| usize::try_from(jobs).unwrap_or(usize::MAX));
    let mut queue = context.queue.clone();
    if args.no_listen {
        queue = queue.without_listen();
    }
    let mut worker = Worker::builder(queue)
        .concurrency(entrypoints::concurrency(&args.entrypoints, said)?)
        .lease(args.lease.0)
        .shutdown_timeout(FOR_EVER);
    for named in &args.entrypoints {
        let task = task.clone();
        let run = move |context| {
            let task = task.clone();
            async move { task.attempt(context).await }
        };
        let mut entrypoint = Entrypoint::new(context.prefixed(&named.name), run);
        if let Some(jobs) = named.concurrency {
            entrypoint = entrypoint.concurrency(jobs);
        }
        worker = worker.register(entrypoint);
    }
    Ok(worker.build()?)
}
