//! Which ticks of a schedule of every second have made jobs. Those jobs stay in the queue: they are the record.

use crate::ask::{column, run, value};
use postgres::Client;

/// A tick, as seconds since 1970.
pub type Tick = i64;

/// Makes a schedule that ticks each second, whose jobs are of an entrypoint of its name.
pub fn each_second(session: &mut Client, name: &str, catch_up: &str) {
    // A copy of a database ticks only once somebody says so.
    run(session, "SELECT pgq.arm()");
    run(session, &format!("SELECT pgq.schedule('{name}', '* * * * * *', overlap => true, catch_up => '{catch_up}')"));
}

/// The ticks whose jobs are queued or picked, each job one.
pub fn ticks(session: &mut Client, name: &str) -> Vec<Tick> {
    let sql = "SELECT extract(epoch FROM (headers->>'scheduled_at')::timestamptz)::bigint AS tick FROM pgq.jobs
                WHERE headers->>'schedule' = $1 ORDER BY tick";
    column(session, sql, &[&name])
}

/// The second that the server's clock shows.
pub fn second(session: &mut Client) -> Tick {
    value(session, "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint", &[])
}

/// What is wrong with ticks that were to come each second: which came twice, which never.
pub fn faults(ticks: &[Tick]) -> Vec<String> {
    let pairs = ticks.iter().zip(ticks.iter().skip(1));
    pairs
        .filter_map(|(one, next)| match next - one {
            1 => None,
            0 => Some(format!("{one} twice")),
            gap => Some(format!("{} missing after {one}", gap - 1)),
        })
        .collect()
}

/// How late each job of a schedule was enqueued, milliseconds, the latest last.
pub fn lateness(session: &mut Client, name: &str) -> Vec<i64> {
    let sql = "SELECT (extract(epoch FROM created - (headers->>'scheduled_at')::timestamptz) * 1000)::bigint AS late
                 FROM pgq.jobs WHERE headers->>'schedule' = $1 ORDER BY late";
    column(session, sql, &[&name])
}
