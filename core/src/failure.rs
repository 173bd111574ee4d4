//! What becomes of a job whose attempt failed.

use crate::backoff::Backoff;

/// What an entrypoint does with a job that has failed for the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnFailure {
    /// The row stays, as `failed`, until somebody requeues or deletes it.
    Hold,
    /// The row goes; the log says `exception`.
    Delete,
}

/// The settings of an entrypoint that decide it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Policy {
    /// After so many failed attempts the job is given up; at least 1.
    pub max_attempts: u32,
    /// The delays between the attempts.
    pub backoff: Backoff,
    /// What then.
    pub on_failure: OnFailure,
}

/// How a failed attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Queued again, due after so many microseconds.
    Retry(i64),
    /// Held as `failed`.
    Hold,
    /// Gone, logged as `exception`.
    Drop,
}

/// Decides after an attempt whose worker was lost: `None` where the job is queued again. `releases` counts those before
/// this one; the last of `max_releases` gives up, as the last of `max_attempts` does.
pub fn after_release(releases: u32, max_releases: u32, on_failure: OnFailure) -> Option<OnFailure> {
    (releases.saturating_add(1) >= max_releases).then_some(on_failure)
}

/// Decides after a failed attempt. `failures` counts the failed attempts before this one; attempts that were released
/// or that asked for a retry are not among them.
pub fn after_failure(failures: u32, policy: &Policy) -> Outcome {
    if failures.saturating_add(1) < policy.max_attempts {
        Outcome::Retry(policy.backoff.delay(failures))
    } else {
        match policy.on_failure {
            OnFailure::Hold => Outcome::Hold,
            OnFailure::Delete => Outcome::Drop,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(max_attempts: u32, on_failure: OnFailure) -> Policy {
        Policy { max_attempts, backoff: Backoff { initial: 10, max: 25, multiplier: 2.0 }, on_failure }
    }

    #[test]
    fn three_attempts_are_two_retries_and_the_end() {
        let policy = policy(3, OnFailure::Hold);
        let outcomes: Vec<_> = (0..4).map(|failures| after_failure(failures, &policy)).collect();
        assert_eq!(outcomes, [Outcome::Retry(10), Outcome::Retry(20), Outcome::Hold, Outcome::Hold]);
    }

    #[test]
    fn one_attempt_is_never_retried() {
        assert_eq!(after_failure(0, &policy(1, OnFailure::Delete)), Outcome::Drop);
    }
}
