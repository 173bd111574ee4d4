//! When a session sleeps, as another one sees it.

use crate::Outcome;
use postgres::Client;
use std::thread;
use std::time::{Duration, Instant};

/// Nothing that is measured here takes longer, unless it never comes.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// How long the machine is left alone before a round, so that a worker is idle when it is woken.
const REST: Duration = Duration::from_millis(20);

/// Returns when the session of this process sleeps in CALL pgq.wait, and has for a moment.
pub fn until_asleep(watch: &mut Client, process: i32) -> Outcome {
    let sql = "SELECT 1 FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND wait_event_type = 'Extension'";
    let deadline = Instant::now() + DEADLINE;
    while watch.query_opt(sql, &[&process])?.is_none() {
        if Instant::now() > deadline {
            return Err("the session does not sleep in pgq.wait".into());
        }
        thread::sleep(Duration::from_millis(1));
    }
    rest();
    Ok(())
}

/// Leaves the machine alone.
pub fn rest() {
    thread::sleep(REST);
}

/// The session's process in the server.
pub fn process_of(session: &mut Client) -> Outcome<i32> {
    Ok(session.query_one("SELECT pg_backend_pid()", &[])?.get(0))
}
