//! From the end of a session that holds a job to the job's being free: half of the sessions close their connection, the
//! others are terminated.

use crate::Outcome;
use crate::asleep::{DEADLINE, process_of, rest, until_asleep};
use crate::wake::wait;
use postgres::{Client, NoTls};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How a session ends.
#[derive(Clone, Copy)]
enum End {
    Closed,
    Terminated,
}

impl End {
    fn of_round(round: usize) -> Self {
        if round.is_multiple_of(2) { Self::Closed } else { Self::Terminated }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Terminated => "terminated",
        }
    }
}

/// A session that holds a job.
struct Holder {
    session: Client,
    process: i32,
    job: i64,
}

impl Holder {
    fn new(dsn: &str, watch: &mut Client) -> Outcome<Self> {
        let job = watch.query_one("SELECT pgq.enqueue('fetch', 'payload')", &[])?.get(0);
        let mut session = Client::connect(dsn, NoTls)?;
        let process = process_of(&mut session)?;
        match claim(&mut session)? {
            Some(claimed) if claimed == job => Ok(Self { session, process, job }),
            other => Err(format!("claimed {other:?}, not {job}").into()),
        }
    }

    /// Ends the session, and returns when that was asked for.
    fn end(self, end: End, watch: &mut Client) -> Outcome<Instant> {
        let begin = Instant::now();
        match end {
            End::Closed => drop(self.session),
            End::Terminated => drop(watch.execute("SELECT pg_terminate_backend($1)", &[&self.process])?),
        }
        Ok(begin)
    }
}

fn claim(session: &mut Client) -> Outcome<Option<i64>> {
    Ok(session.query_opt("SELECT id FROM pgq.dequeue('{fetch}')", &[])?.map(|row| row.get(0)))
}

fn complete(session: &mut Client, job: i64) -> Outcome {
    let completed: bool = session.query_one("SELECT pgq.complete($1)", &[&job])?.get(0);
    if completed { Ok(()) } else { Err(format!("job {job} was not completed").into()) }
}

fn print(end: End, time: Duration) {
    println!("{} {}", end.name(), time.as_micros());
}

/// Until another session sees the job as queued: it looks all the time.
pub fn rounds_seen(dsn: &str, rounds: usize) -> Outcome {
    let mut watch = Client::connect(dsn, NoTls)?;
    let look = watch.prepare("SELECT 1 FROM pgq.jobs WHERE id = $1 AND status = 'queued'")?;
    for end in (0..rounds).map(End::of_round) {
        let holder = Holder::new(dsn, &mut watch)?;
        let job = holder.job;
        rest();
        let begin = holder.end(end, &mut watch)?;
        while watch.query_opt(&look, &[&job])?.is_none() {
            if begin.elapsed() > DEADLINE {
                return Err(format!("job {job} was not released").into());
            }
        }
        print(end, begin.elapsed());
        match claim(&mut watch)? {
            Some(claimed) if claimed == job => complete(&mut watch, job)?,
            other => return Err(format!("job {job} is queued, but {other:?} was claimed").into()),
        }
    }
    Ok(())
}

/// Until a session that sits in CALL pgq.wait has claimed the job.
pub fn rounds_claimed(dsn: &str, rounds: usize) -> Outcome {
    let mut watch = Client::connect(dsn, NoTls)?;
    let mut taker = Client::connect(dsn, NoTls)?;
    let process = process_of(&mut taker)?;
    let (ask, asked) = channel();
    let (taken, told) = channel();
    let thread = thread::spawn(move || take_when_asked(&mut taker, &asked, &taken));
    let measured = (0..rounds).map(End::of_round).try_for_each(|end| {
        let holder = Holder::new(dsn, &mut watch)?;
        ask.send(())?;
        until_asleep(&mut watch, process)?;
        let begin = holder.end(end, &mut watch)?;
        print(end, told.recv_timeout(DEADLINE)? - begin);
        Ok(())
    });
    drop(ask);
    // Where the taker failed, its reason is the better one.
    thread.join().map_err(|_| "the taker panicked")??;
    measured
}

fn take_when_asked(taker: &mut Client, asked: &Receiver<()>, taken: &Sender<Instant>) -> Outcome {
    while asked.recv().is_ok() {
        let job = loop {
            wait(taker)?;
            if let Some(job) = claim(taker)? {
                break job;
            }
        };
        let now = Instant::now();
        complete(taker, job)?;
        taken.send(now)?;
    }
    Ok(())
}
