//! How long sessions wait for one another. Both ends of a wait are in this process, so that one clock times it.
//!
//! `pgqueuer-latency DSN WHAT ROUNDS` prints a line for each round: microseconds, with a space between.
//!
//! | WHAT | a line has |
//! | --- | --- |
//! | `wait`, `listen`, `notify` | from COMMIT sent, and from COMMIT answered, to the other session's knowing: see [`wake`] |
//! | `seen`, `claimed` | how the session ended, and from there to its job's being free: see [`release`] |

mod asleep;
mod release;
mod wake;

use std::error::Error;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [dsn, what, rounds] = arguments.as_slice() else {
        return Err("pgqueuer-latency DSN WHAT ROUNDS".into());
    };
    let rounds = rounds.parse()?;
    match what.as_str() {
        "wait" => wake::rounds(dsn, wake::Way::Wait, rounds),
        "listen" => wake::rounds(dsn, wake::Way::Listen, rounds),
        "notify" => wake::rounds(dsn, wake::Way::Notify, rounds),
        "seen" => release::rounds_seen(dsn, rounds),
        "claimed" => release::rounds_claimed(dsn, rounds),
        _ => Err(format!("no such thing to measure: {what}").into()),
    }
}
