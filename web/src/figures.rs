//! What `pgq.metrics()` tells of each entrypoint.

use crate::metrics::{Sample, samples};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One entrypoint. Waiting jobs are counted up to [`Bounds`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Entrypoint {
    /// Jobs that can be claimed now.
    pub due: i64,
    /// Jobs whose time is still to come.
    pub deferred: i64,
    /// Jobs that were given up.
    pub held: i64,
    /// Jobs that somebody holds.
    pub in_flight: i64,
    /// For how long the first due job has been due, seconds.
    pub oldest: f64,
    /// How many may be in flight; 0 for any number.
    pub limit: i64,
    /// Nothing of it is handed out.
    pub paused: bool,
    /// Claims since the server started.
    pub claims: i64,
    /// Jobs that were enqueued since then.
    pub enqueued: i64,
    /// Attempts and jobs that ended since the server started.
    pub ended: i64,
    /// From due to claim.
    pub wait: Histogram,
    /// From claim to end.
    pub run: Histogram,
}

/// Up to how many jobs of an entrypoint are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Of [`Entrypoint::due`].
    pub due: i64,
    /// Of [`Entrypoint::deferred`].
    pub deferred: i64,
    /// Of [`Entrypoint::held`].
    pub held: i64,
}

/// All of them, of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// By their name in the database.
    pub entrypoints: BTreeMap<String, Entrypoint>,
    /// The same for each.
    pub bounds: Bounds,
    /// Those that hold jobs, or were heard of lately.
    pub workers: i64,
    /// Sessions that wait for jobs.
    pub waiting: i64,
    /// An estimate of the jobs there are.
    pub rows: i64,
    /// The server only reads.
    pub standby: bool,
    /// Without the library in the server nothing is handed out.
    pub preloaded: bool,
}

/// Upper bounds in seconds, and how many observations lie below each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Histogram {
    buckets: Vec<(f64, f64)>,
    count: f64,
}

impl Histogram {
    /// A bound below which this share of the observations lies; none without observations, infinity beyond the last bound.
    pub fn below(&self, share: f64) -> Option<f64> {
        let wanted = self.count * share;
        let bound = self.buckets.iter().find(|(_, count)| *count >= wanted).map_or(f64::INFINITY, |(bound, _)| *bound);
        (self.count > 0.0).then_some(bound)
    }
}

impl Figures {
    /// Those of entrypoints that begin with `prefix`.
    pub fn read(text: &str, prefix: &str) -> Self {
        let mut figures = Self::default();
        for sample in samples(text) {
            match sample.labels.get("entrypoint") {
                Some(name) if name.starts_with(prefix) && !name.is_empty() => {
                    let entrypoint = figures.entrypoints.entry(name.clone()).or_default();
                    entrypoint.take(&sample);
                }
                Some(_) => {}
                None => figures.take(&sample),
            }
        }
        figures
    }

    fn take(&mut self, sample: &Sample<'_>) {
        let whole = sample.value as i64;
        match (sample.name, sample.labels.get("of").map(String::as_str)) {
            ("pgqueuer_count_limit_jobs", Some("due")) => self.bounds.due = whole,
            ("pgqueuer_count_limit_jobs", Some("deferred")) => self.bounds.deferred = whole,
            ("pgqueuer_count_limit_jobs", Some("held")) => self.bounds.held = whole,
            ("pgqueuer_workers", _) => self.workers += whole,
            ("pgqueuer_waiting_sessions", _) => self.waiting = whole,
            ("pgqueuer_live_rows", _) => self.rows = whole,
            ("pgqueuer_standby", _) => self.standby = whole == 1,
            ("pgqueuer_preloaded", _) => self.preloaded = whole == 1,
            _ => {}
        }
    }

    /// All entrypoints together.
    pub fn total(&self) -> Entrypoint {
        self.entrypoints.values().fold(Entrypoint::default(), |sum, one| Entrypoint {
            due: sum.due + one.due,
            deferred: sum.deferred + one.deferred,
            held: sum.held + one.held,
            in_flight: sum.in_flight + one.in_flight,
            oldest: if one.paused { sum.oldest } else { sum.oldest.max(one.oldest) },
            ended: sum.ended + one.ended,
            ..sum
        })
    }

    /// Whether any entrypoint has more of a kind than were counted.
    pub fn beyond(&self, of: impl Fn(&Entrypoint) -> i64, bound: i64) -> bool {
        bound > 0 && self.entrypoints.values().any(|one| of(one) >= bound)
    }

    /// The same for two moments between which nothing happened.
    pub fn mark(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (name, one) in &self.entrypoints {
            (name, one.due, one.deferred, one.held, one.in_flight, one.limit, one.paused).hash(&mut hasher);
            (one.claims, one.enqueued, one.ended).hash(&mut hasher);
        }
        (self.workers, self.waiting, self.standby).hash(&mut hasher);
        hasher.finish()
    }
}

impl Entrypoint {
    fn take(&mut self, sample: &Sample<'_>) {
        let whole = sample.value as i64;
        match sample.name {
            "pgqueuer_due_jobs" => self.due = whole,
            "pgqueuer_deferred_jobs" => self.deferred = whole,
            "pgqueuer_held_jobs" => self.held = whole,
            "pgqueuer_in_flight_jobs" => self.in_flight = whole,
            "pgqueuer_oldest_due_job_age_seconds" => self.oldest = sample.value,
            "pgqueuer_concurrency_limit_jobs" => self.limit = whole,
            "pgqueuer_paused" => self.paused = whole == 1,
            "pgqueuer_claims_total" => self.claims = whole,
            "pgqueuer_enqueued_total" => self.enqueued = whole,
            "pgqueuer_ended_total" => self.ended += whole,
            "pgqueuer_wait_seconds_bucket" => self.wait.take(sample),
            "pgqueuer_wait_seconds_count" => self.wait.count = sample.value,
            "pgqueuer_run_seconds_bucket" => self.run.take(sample),
            "pgqueuer_run_seconds_count" => self.run.count = sample.value,
            _ => {}
        }
    }
}

impl Histogram {
    fn take(&mut self, sample: &Sample<'_>) {
        let bound = sample.labels.get("le").and_then(|bound| bound.parse().ok());
        self.buckets.extend(bound.filter(|bound: &f64| bound.is_finite()).map(|bound| (bound, sample.value)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"pgqueuer_due_jobs{entrypoint="shop_mail"} 5
pgqueuer_due_jobs{entrypoint="shop_fetch"} 833
pgqueuer_due_jobs{entrypoint="other"} 7
pgqueuer_ended_total{entrypoint="shop_mail",outcome="failed"} 2
pgqueuer_ended_total{entrypoint="shop_mail",outcome="successful"} 3
pgqueuer_wait_seconds_bucket{entrypoint="shop_mail",le="0.1"} 90
pgqueuer_wait_seconds_bucket{entrypoint="shop_mail",le="1"} 99
pgqueuer_wait_seconds_bucket{entrypoint="shop_mail",le="+Inf"} 100
pgqueuer_wait_seconds_count{entrypoint="shop_mail"} 100
pgqueuer_workers{kind="named"} 2
pgqueuer_workers{kind="session"} 1
pgqueuer_count_limit_jobs{of="due"} 833
"#;

    #[test]
    fn a_prefix_hides_the_others() {
        let figures = Figures::read(TEXT, "shop_");
        assert_eq!(figures.entrypoints.keys().collect::<Vec<_>>(), ["shop_fetch", "shop_mail"]);
        assert_eq!((figures.total().due, figures.total().ended, figures.workers), (838, 5, 3));
        assert!(figures.beyond(|one| one.due, figures.bounds.due));
    }

    #[test]
    fn a_quantile_is_a_bound() {
        let wait = &Figures::read(TEXT, "").entrypoints["shop_mail"].wait;
        assert_eq!(wait.below(0.5), Some(0.1));
        assert_eq!(wait.below(0.95), Some(1.0));
        assert_eq!(wait.below(0.999), Some(f64::INFINITY));
        assert_eq!(Histogram::default().below(0.5), None);
    }

    #[test]
    fn the_mark_changes_with_the_queue_and_not_with_time() {
        let mark = |text: &str| Figures::read(text, "").mark();
        let older = format!("{TEXT}pgqueuer_oldest_due_job_age_seconds{{entrypoint=\"other\"}} 9\n");
        assert_eq!(mark(TEXT), mark(&older));
        assert_ne!(mark(TEXT), mark(&TEXT.replace("} 5", "} 6")));
    }
}
