//! Schedules, and the jobs of their ticks.

use crate::ask::{run, value};
use crate::until::until_within;
use postgres::Client;
use std::time::Duration;

/// A job that a tick has enqueued. Times are in microseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tick {
    /// The job.
    pub job: i64,
    /// The time of the tick, as the job's headers say.
    pub at: i64,
    /// How long after it the job was enqueued.
    pub late: i64,
}

impl Tick {
    /// The time of the tick in seconds since 1970.
    pub fn second(&self) -> i64 {
        self.at / 1_000_000
    }
}

/// The most that a tick may take to its job, where the machine is busy, microseconds.
pub const AT_ONCE: i64 = 1_000_000;

/// Makes a schedule that ticks every second, with more arguments after a comma.
#[track_caller]
pub fn each_second(session: &mut Client, name: &str, arguments: &str) {
    run(session, &format!("SELECT pgq.schedule('{name}', '* * * * * *'{arguments})"));
}

/// The same, with a job for each tick, whatever became of the one before. Those jobs stay in the queue: they are the record.
#[track_caller]
pub fn each_second_catching_up(session: &mut Client, name: &str, catch_up: &str) {
    each_second(session, name, &format!(", overlap => true, catch_up => '{catch_up}'"));
}

/// The live jobs that ticks of a schedule have enqueued, in the order of their ids.
#[track_caller]
pub fn ticks(session: &mut Client, schedule: &str) -> Vec<Tick> {
    let sql = "SELECT id, (extract(epoch FROM tick) * 1e6)::bigint, (extract(epoch FROM created - tick) * 1e6)::bigint
                 FROM (SELECT id, created, (headers->>'scheduled_at')::timestamptz AS tick
                         FROM pgq.jobs WHERE headers->>'schedule' = $1) AS j ORDER BY id";
    let rows = session.query(sql, &[&schedule]).unwrap_or_else(|error| panic!("{schedule}: {error:?}"));
    rows.iter().map(|row| Tick { job: row.get(0), at: row.get(1), late: row.get(2) }).collect()
}

/// The ticks of a schedule whose jobs are live, in seconds since 1970, in their order, each job one.
#[track_caller]
pub fn beats(session: &mut Client, schedule: &str) -> Vec<i64> {
    let mut seconds: Vec<i64> = ticks(session, schedule).iter().map(Tick::second).collect();
    seconds.sort_unstable();
    seconds
}

/// How late each job of a schedule was enqueued, milliseconds, the latest last.
#[track_caller]
pub fn lateness(session: &mut Client, schedule: &str) -> Vec<i64> {
    let mut late: Vec<i64> = ticks(session, schedule).iter().map(|tick| tick.late / 1000).collect();
    late.sort_unstable();
    late
}

/// The ticks of a schedule, in seconds since 1970, once it has so many.
#[track_caller]
pub fn seconds(session: &mut Client, schedule: &str, least: usize) -> Vec<i64> {
    until_within(Duration::from_secs(20), &format!("{least} ticks of {schedule}"), || {
        let ticks = ticks(session, schedule);
        (ticks.len() >= least).then(|| ticks.iter().map(Tick::second).collect())
    })
}

/// Waits until a schedule that ticks every second has ticked so often from now on.
#[track_caller]
pub fn until_more(session: &mut Client, schedule: &str, more: usize) {
    let least = ticks(session, schedule).len() + more;
    seconds(session, schedule, least);
}

/// A column of a schedule's row, as text.
#[track_caller]
pub fn shown(session: &mut Client, schedule: &str, column: &str) -> Option<String> {
    value(session, &format!("SELECT ({column})::text FROM pgq.schedules WHERE name = $1"), &[&schedule])
}

/// What is wrong with ticks that were to come each second, in their order: which came twice, which never.
pub fn faults(seconds: &[i64]) -> Vec<String> {
    let pairs = seconds.iter().zip(seconds.iter().skip(1));
    pairs
        .filter_map(|(one, next)| match next - one {
            1 => None,
            0 => Some(format!("{one} twice")),
            gap => Some(format!("{} missing after {one}", gap - 1)),
        })
        .collect()
}

/// Whether each is one second after the one before: none is missing and none came twice.
pub fn is_without_gap(seconds: &[i64]) -> bool {
    faults(seconds).is_empty()
}

/// The server's time, in seconds since 1970, rounded down.
#[track_caller]
pub fn server_now(session: &mut Client) -> i64 {
    value(session, "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint", &[])
}
