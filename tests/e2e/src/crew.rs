//! Several sessions that act at the same moment.

use crate::cluster::Database;
use postgres::Client;
use std::sync::Barrier;
use std::thread;

/// Some sessions of one database.
pub struct Crew {
    /// The sessions, by their place.
    pub sessions: Vec<Client>,
}

impl Crew {
    /// Opens so many sessions.
    pub fn of(database: &Database, count: usize) -> Self {
        Self { sessions: (0..count).map(|_| database.connect()).collect() }
    }

    /// Lets every session act, each in a thread, none before all are ready. Returns what they say, by place.
    pub fn at_once<R: Send>(&mut self, act: impl Fn(usize, &mut Client) -> R + Sync) -> Vec<R> {
        // Nothing can panic before the barrier, so nobody waits there for ever.
        let (act, ready) = (&act, &Barrier::new(self.sessions.len()));
        thread::scope(|scope| {
            let start = |(place, session)| {
                scope.spawn(move || {
                    ready.wait();
                    act(place, session)
                })
            };
            let threads: Vec<_> = self.sessions.iter_mut().enumerate().map(start).collect();
            threads.into_iter().map(|thread| thread.join().expect("a session of the crew panicked")).collect()
        })
    }
}
