//! A session that waits for jobs in a thread of its own, and when it was woken.

use crate::ask::{dequeue, process, value};
use crate::cluster::Database;
use crate::until::until;
use postgres::{CancelToken, Client, Error};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

/// What a wait ended with, and when.
pub struct Woken {
    /// The answer.
    pub ready: Result<bool, Error>,
    /// When it came.
    pub at: Instant,
    /// The jobs that it claimed then, if it was to.
    pub claimed: Vec<i64>,
    /// The session, to go on with.
    pub session: Client,
}

/// A session that waits.
pub struct Waiter {
    /// Its process in the server.
    pub process: i32,
    /// Cancels the wait.
    pub cancel: CancelToken,
    end: Receiver<Woken>,
}

impl Waiter {
    /// Calls `sql`, which returns a boolean, in a new session.
    pub fn calls(database: &Database, sql: &str) -> Self {
        Self::start(database, sql, |_| vec![])
    }

    /// Waits for a job of the entrypoint `fetch`, and claims one at once.
    pub fn claims(database: &Database) -> Self {
        Self::start(database, "CALL pgq.wait('{fetch}', '30 s')", |session| dequeue(session, "fetch", 1))
    }

    fn start(database: &Database, sql: &str, then: fn(&mut Client) -> Vec<i64>) -> Self {
        let mut session = database.connect();
        let (process, cancel) = (process(&mut session), session.cancel_token());
        let (tell, end) = channel();
        let sql = sql.to_owned();
        thread::spawn(move || {
            let ready = session.query_one(&sql, &[]).map(|row| row.get(0));
            let at = Instant::now();
            let claimed = if matches!(ready, Ok(true)) { then(&mut session) } else { vec![] };
            // A test that does not ask has dropped the other end.
            let _ = tell.send(Woken { ready, at, claimed, session });
        });
        Self { process, cancel, end }
    }

    /// Waits for up to 30 s for a job of the entrypoint `fetch`, and is asleep when this returns.
    pub fn asleep(database: &Database, other: &mut Client) -> Self {
        let waiter = Self::calls(database, "CALL pgq.wait('{fetch}', '30 s')");
        waiter.until_asleep(other);
        waiter
    }

    /// Waits until the session sleeps in the server.
    pub fn until_asleep(&self, other: &mut Client) {
        until("the waiter is asleep", || self.is_asleep(other).then_some(()));
    }

    /// Whether the session sleeps in the server.
    pub fn is_asleep(&self, other: &mut Client) -> bool {
        let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active'
                      AND wait_event_type NOT IN ('LWLock', 'Lock', 'IO', 'Client')";
        value::<i64>(other, sleeps, &[&self.process]) == 1
    }

    /// What the wait ended with, if it has.
    pub fn has_ended(&self) -> Option<Woken> {
        self.end.try_recv().ok()
    }

    /// What the wait ends with.
    pub fn woken(&self) -> Woken {
        self.end.recv_timeout(Duration::from_secs(60)).expect("the wait ends")
    }
}
