//! One entrypoint: its settings, and its jobs that could be handed out at once.

use super::clock::{Time, micros};
use super::row::Rank;
use crate::control::{OnFailure, Settings};
use pgqueuer_core::backoff::Backoff;
use pgqueuer_core::failure::{self, Policy};
use pgqueuer_core::rate::Window;
use std::collections::BTreeSet;

/// An entrypoint.
#[derive(Debug, Default)]
pub(super) struct Queue {
    pub limits: Limits,
    pub paused: bool,
    /// Jobs that are due, not held by anybody, and first of their ordering key; best first.
    pub ready: BTreeSet<Rank>,
    /// How many jobs are queued, and how many are picked.
    pub queued: i64,
    pub picked: u32,
    /// The claims of the last period.
    window: Window,
    /// Somebody was refused for the rate limit: when it allows another claim.
    pub refills: Option<Time>,
}

/// The settings of an entrypoint.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub policy: Policy,
    pub max_releases: u32,
    concurrency_limit: u32,
    rate_limit: u32,
    rate_period: Time,
}

impl Default for Limits {
    fn default() -> Self {
        let backoff = Backoff { initial: 1_000_000, max: 300_000_000, multiplier: 2.0 };
        let policy = Policy { max_attempts: 5, backoff, on_failure: failure::OnFailure::Hold };
        Self { policy, max_releases: 10, concurrency_limit: 0, rate_limit: 0, rate_period: 1_000_000 }
    }
}

impl Limits {
    /// Takes over what is given; it has been checked.
    pub(super) fn change(&mut self, given: &Settings) {
        set(&mut self.concurrency_limit, given.concurrency_limit.map(i32::unsigned_abs));
        set(&mut self.policy.max_attempts, given.max_attempts.map(i32::unsigned_abs));
        set(&mut self.policy.backoff.initial, given.backoff_initial.map(micros));
        set(&mut self.policy.backoff.max, given.backoff_max.map(micros));
        set(&mut self.policy.backoff.multiplier, given.backoff_multiplier);
        set(&mut self.policy.on_failure, given.on_failure.map(in_core));
        set(&mut self.max_releases, given.max_releases.map(i32::unsigned_abs));
        set(&mut self.rate_limit, given.rate_limit.map(i32::unsigned_abs));
        set(&mut self.rate_period, given.rate_period.map(micros));
    }
}

fn set<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn in_core(on_failure: OnFailure) -> failure::OnFailure {
    match on_failure {
        OnFailure::Hold => failure::OnFailure::Hold,
        OnFailure::Delete => failure::OnFailure::Delete,
    }
}

impl Queue {
    /// The best job that could be handed out, whatever the limits say.
    pub(super) fn head(&self) -> Option<Rank> {
        self.ready.first().copied().filter(|_| !self.paused)
    }

    /// Whether a limit stands before jobs that could be handed out otherwise.
    pub(super) fn has_crowd(&self) -> bool {
        self.limits.concurrency_limit > 0 && !self.ready.is_empty()
    }

    /// Whether the limits allow one more claim, which then counts.
    pub(super) fn admits(&mut self, now: Time) -> bool {
        let limits = self.limits;
        if limits.concurrency_limit > 0 && self.picked >= limits.concurrency_limit {
            return false;
        }
        if limits.rate_limit == 0 || self.window.take(now, limits.rate_limit, limits.rate_period).is_some() {
            return true;
        }
        self.refills = Some(self.window.refills(now, limits.rate_limit));
        false
    }

    /// As after a restart: what was claimed before counts no more.
    pub(super) fn forget_rate(&mut self) {
        (self.window, self.refills) = (Window::default(), None);
    }
}
