//! Waits for a condition. The only place that polls or sleeps.

use std::time::{Duration, Instant};

const STEP: Duration = Duration::from_millis(10);
const DEADLINE: Duration = Duration::from_secs(30);

/// Looks every 10 ms until there is something to see, and returns it. Panics with `what` if there is nothing after 30 s.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_within(DEADLINE, what, look)
}

/// The same with another patience.
pub fn until_within<T>(patience: Duration, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "not within {patience:?}: {what}");
        std::thread::sleep(STEP);
    }
}
