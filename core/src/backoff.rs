//! How long a failed job waits for its next attempt.

/// The settings of an entrypoint that decide it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backoff {
    /// Microseconds before the second attempt.
    pub initial: i64,
    /// No delay is longer, microseconds.
    pub max: i64,
    /// Each delay is the last one times this.
    pub multiplier: f64,
}

impl Backoff {
    /// The delay after `failures` earlier failed attempts, in microseconds: min(max, initial · multiplier^failures).
    pub fn delay(&self, failures: u32) -> i64 {
        let exponent = i32::try_from(failures).unwrap_or(i32::MAX);
        let delay = self.initial as f64 * self.multiplier.powi(exponent);
        // 0 · ∞ is not a number: an initial delay of 0 stays 0. The cast saturates.
        if delay.is_nan() { 0 } else { (delay as i64).clamp(0, self.max.max(0)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn the_defaults_double_up_to_five_minutes() {
        let backoff = Backoff { initial: SECOND, max: 300 * SECOND, multiplier: 2.0 };
        let delays: Vec<_> = (0..10).map(|n| backoff.delay(n) / SECOND).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    proptest! {
        #[test]
        fn stays_between_nothing_and_max(initial in 0i64.., max in 0i64.., multiplier in 1.0f64..1e300, n: u32) {
            let delay = Backoff { initial, max, multiplier }.delay(n);
            prop_assert!((0..=max).contains(&delay));
        }

        #[test]
        fn never_shrinks(initial in 0i64..1 << 40, max in 0i64..1 << 50, multiplier in 1.0f64..100.0, n in 0u32..100) {
            let backoff = Backoff { initial, max, multiplier };
            prop_assert!(backoff.delay(n) <= backoff.delay(n + 1));
        }
    }
}
