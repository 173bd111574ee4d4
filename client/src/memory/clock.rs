//! Time as the queue counts it: microseconds since 2000-01-01 UTC, by a clock that runs or by one that stands.

use chrono::{DateTime, Utc};
use std::time::Duration;
use tokio::time::Instant;

/// Microseconds since 2000-01-01 UTC.
pub(super) type Time = i64;

/// 2000-01-01, in microseconds since 1970.
const EPOCH: i64 = 946_684_800_000_000;
/// The first time that PostgreSQL cannot write down any more: 294277-01-01.
const END: Time = 9_223_371_331_200_000_000;

/// What the queue takes for now.
#[derive(Debug, Clone, Copy)]
pub(super) enum Clock {
    /// Moves only when it is told to.
    Standing(Time),
    /// Was at `begun` at `since`, and goes with tokio's clock, which a test can pause.
    Running { begun: Time, since: Instant },
}

impl Clock {
    pub(super) fn running() -> Self {
        Self::Running { begun: time_of(Utc::now()), since: Instant::now() }
    }

    pub(super) fn now(&self) -> Time {
        match self {
            Self::Standing(now) => *now,
            Self::Running { begun, since } => begun.saturating_add(micros(since.elapsed())),
        }
    }

    pub(super) fn advance(&mut self, by: Duration) {
        let (Self::Standing(time) | Self::Running { begun: time, .. }) = self;
        *time = time.saturating_add(micros(by)).min(END);
    }

    /// Sleeps until that time. Nobody can sleep while the clock stands: then this takes for ever.
    pub(super) async fn sleep_until(self, time: Time) {
        match self {
            Self::Running { .. } if time < END => {
                let left = time.saturating_sub(self.now());
                tokio::time::sleep(Duration::from_micros(u64::try_from(left).unwrap_or(0))).await;
            }
            _ => std::future::pending().await,
        }
    }
}

/// As many microseconds as an interval of PostgreSQL would have.
pub(super) fn micros(duration: Duration) -> Time {
    i64::try_from(duration.as_nanos().saturating_add(500) / 1000).unwrap_or(Time::MAX)
}

/// So long after a time; none beyond all times that PostgreSQL knows.
pub(super) fn after(time: Time, delay: Duration) -> Option<Time> {
    time.checked_add(micros(delay)).filter(|after| *after < END)
}

/// The last time that chrono knows stands for infinity, and the first one for the other infinity.
pub(super) fn time_of(date: DateTime<Utc>) -> Time {
    match date {
        _ if date == DateTime::<Utc>::MAX_UTC => Time::MAX,
        _ if date == DateTime::<Utc>::MIN_UTC => Time::MIN,
        date => date.timestamp_micros() - EPOCH,
    }
}

/// A time beyond those that chrono knows becomes its last one, or its first one.
pub(super) fn date_of(time: Time) -> DateTime<Utc> {
    let beyond = if time < 0 { DateTime::<Utc>::MIN_UTC } else { DateTime::<Utc>::MAX_UTC };
    DateTime::from_timestamp_micros(time.saturating_add(EPOCH)).unwrap_or(beyond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_comes_back() {
        for text in ["2000-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2262-04-12T00:00:00.000001Z"] {
            let date: DateTime<Utc> = text.parse().unwrap();
            assert_eq!(date_of(time_of(date)), date);
        }
        assert_eq!(time_of("2000-01-01T00:00:01Z".parse().unwrap()), 1_000_000);
        for (time, date) in [(Time::MAX, DateTime::<Utc>::MAX_UTC), (Time::MIN, DateTime::<Utc>::MIN_UTC)] {
            assert_eq!((time_of(date), date_of(time)), (time, date));
        }
    }

    #[test]
    fn a_delay_beyond_all_times_is_none() {
        assert_eq!(after(0, Duration::from_millis(1)), Some(1000));
        assert_eq!(after(0, Duration::MAX), None);
        assert_eq!(after(END - 1, Duration::from_micros(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_running_clock_goes_with_tokios() {
        let clock = Clock::running();
        let before = clock.now();
        clock.sleep_until(before + 60_000_000).await;
        assert_eq!(clock.now() - before, 60_000_000);
    }
}
