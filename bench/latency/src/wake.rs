//! From a commit to another session's knowing of it.
//!
//! `wait` and `listen` are ours: a job is enqueued, the other session sits in `CALL pgq.wait` or listens to the channel.
//! `notify` is the floor: a row is inserted and the same transaction notifies.

use crate::Outcome;
use crate::asleep::{DEADLINE, process_of, rest, until_asleep};
use postgres::fallible_iterator::FallibleIterator;
use postgres::{Client, NoTls};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

/// How the other session learns of the commit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It sits in `CALL pgq.wait`.
    Wait,
    /// It listens to the entrypoint's channel.
    Listen,
    /// It listens to a channel that the committing transaction notifies.
    Notify,
}

/// What the two threads tell each other.
struct Woken(Instant);
struct Sleep;

/// Rounds that are not counted: sessions fill their caches, and the first call in a database starts its worker.
const WARM_UP: usize = 3;

/// Late notifications of the last round are over when none came for so long.
const QUIET: Duration = Duration::from_millis(5);

impl Way {
    fn prepare(self) -> &'static str {
        match self {
            Self::Wait => "SELECT 1",
            Self::Listen => "SELECT pgq.listen('{fetch}')",
            Self::Notify => "LISTEN floor",
        }
    }

    fn write(self) -> &'static str {
        match self {
            Self::Wait | Self::Listen => "SELECT pgq.enqueue('fetch', 'payload')",
            Self::Notify => "INSERT INTO floor (payload) VALUES ('payload'); NOTIFY floor",
        }
    }

    /// Takes away what the round wrote, so that the next one begins at an empty queue.
    fn clean(self) -> &'static str {
        match self {
            Self::Wait | Self::Listen => "SELECT pgq.complete(id) FROM pgq.dequeue('{fetch}')",
            Self::Notify => "DELETE FROM floor",
        }
    }
}

/// Prints the times of each round.
pub fn rounds(dsn: &str, way: Way, rounds: usize) -> Outcome {
    let mut writer = Client::connect(dsn, NoTls)?;
    let mut watch = Client::connect(dsn, NoTls)?;
    let mut sleeper = Client::connect(dsn, NoTls)?;
    let process = process_of(&mut sleeper)?;
    if way == Way::Notify {
        writer.batch_execute("CREATE TABLE floor (payload text)")?;
    }
    sleeper.batch_execute(way.prepare())?;
    let (sleep, asked) = channel();
    let (woken, told) = channel();
    let thread = thread::spawn(move || sleep_when_asked(&mut sleeper, way, &asked, &woken));
    let measured = (0..WARM_UP + rounds).try_for_each(|number| {
        sleep.send(Sleep)?;
        if way == Way::Wait {
            until_asleep(&mut watch, process)?;
        } else {
            rest();
        }
        let (sent, answered) = round(&mut writer, way, &told)?;
        if number >= WARM_UP {
            println!("{sent} {answered}");
        }
        Ok(())
    });
    drop(sleep);
    // Where the sleeper failed, its reason is the better one.
    thread.join().map_err(|_| "the sleeper panicked")??;
    measured
}

/// From COMMIT sent, and from COMMIT answered, to the sleeper's knowing.
fn round(writer: &mut Client, way: Way, told: &Receiver<Woken>) -> Outcome<(i128, i128)> {
    writer.batch_execute("BEGIN")?;
    writer.batch_execute(way.write())?;
    let sent = Instant::now();
    writer.batch_execute("COMMIT")?;
    let answered = Instant::now();
    let Woken(woken) = told.recv_timeout(DEADLINE)?;
    writer.batch_execute(way.clean())?;
    Ok((microseconds(sent, woken), microseconds(answered, woken)))
}

/// Negative where `to` is earlier: the woken session may know before the committing one has its answer.
fn microseconds(from: Instant, to: Instant) -> i128 {
    let size = |duration: Duration| duration.as_micros().cast_signed();
    if to >= from { size(to - from) } else { -size(from - to) }
}

fn sleep_when_asked(sleeper: &mut Client, way: Way, asked: &Receiver<Sleep>, woken: &Sender<Woken>) -> Outcome {
    while let Ok(Sleep) = asked.recv() {
        match way {
            Way::Wait => wait(sleeper)?,
            Way::Listen | Way::Notify => hear(sleeper)?,
        }
        woken.send(Woken(Instant::now()))?;
    }
    Ok(())
}

/// Returns when a job can be claimed.
pub fn wait(sleeper: &mut Client) -> Outcome {
    let ready: bool = sleeper.query_one("CALL pgq.wait('{fetch}', '10 s')", &[])?.get(0);
    if ready { Ok(()) } else { Err("pgq.wait returned at its timeout".into()) }
}

/// Returns at the first notification that comes from now on.
fn hear(sleeper: &mut Client) -> Outcome {
    let mut notifications = sleeper.notifications();
    while notifications.timeout_iter(QUIET).next()?.is_some() {}
    match notifications.timeout_iter(DEADLINE).next()? {
        Some(_) => Ok(()),
        None => Err("no notification came".into()),
    }
}
