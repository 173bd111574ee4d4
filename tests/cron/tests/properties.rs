//! What holds for every expression, zone and time.

#![allow(clippy::expect_used, clippy::panic, reason = "a test ends with a panic")]

use pgqueuer_core::cron::{CatchUp, Cron, DROPPED_COUNTED, FIRED_MOST, Zone};
use pgqueuer_cron_test::expression::{Dialect, expressions};
use pgqueuer_cron_test::{DAY, MICROSECONDS, instant, offset};
use proptest::prelude::*;
use proptest::sample::select;
use std::iter::successors;
use std::time::{Duration, Instant};

/// 1969-12-20 and 2101-01-10.
const YEARS: std::ops::Range<i64> = -12 * DAY..47_856 * DAY;

fn zone() -> impl Strategy<Value = Zone> {
    select(chrono_tz::TZ_VARIANTS.to_vec()).prop_map(|zone| Zone::parse(zone.name()).expect("a zone of the database"))
}

fn time() -> impl Strategy<Value = i64> {
    let microsecond = prop_oneof![Just(0), 0..MICROSECONDS];
    (YEARS, microsecond).prop_map(|(second, microsecond)| instant(second) + microsecond)
}

fn cron() -> impl Strategy<Value = Cron> {
    expressions(Dialect::Ours).prop_map(|text| Cron::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}")))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn next_goes_strictly_forward_and_last_back_to_it(cron in cron(), zone in zone(), after in time()) {
        let mut before = after;
        for tick in successors(cron.next(zone, after), |tick| cron.next(zone, *tick)).take(10) {
            prop_assert!(tick > before);
            prop_assert_eq!(tick % MICROSECONDS, 0);
            // Between the two there is none.
            prop_assert_eq!(cron.next(zone, tick - 1), Some(tick));
            prop_assert_eq!(cron.last(zone, tick), Some(tick));
            prop_assert!(cron.last(zone, tick - 1).is_none_or(|last| last <= before));
            before = tick;
        }
    }

    #[test]
    fn last_goes_back_and_next_forward_to_it(cron in cron(), zone in zone(), until in time()) {
        if let Some(last) = cron.last(zone, until) {
            prop_assert!(last <= until);
            prop_assert_eq!(cron.next(zone, last - 1), Some(last));
            prop_assert!(cron.next(zone, last).is_none_or(|next| next > until));
        }
    }

    #[test]
    fn due_ticks_are_parted_as_by_walking_through_all(
        cron in cron(), zone in zone(), start in time(), ticks in 0usize..150, later in 0..DAY * MICROSECONDS,
        alive in 0.0f64..1.2, catch_up in select(vec![CatchUp::Skip, CatchUp::One, CatchUp::All]),
    ) {
        let Some(next_tick) = cron.next(zone, start) else { return Ok(()) };
        // A core that does not go forward fails, it does not hang.
        let all = || successors(Some(next_tick), |tick| cron.next(zone, *tick).filter(|next| next > tick));
        let now = all().take(ticks).last().map_or(next_tick - 1, |tick| tick + later % (30 * MICROSECONDS));
        let alive_since = next_tick + ((now - next_tick) as f64 * alive) as i64;

        let due: Vec<i64> = all().take_while(|tick| *tick <= now).collect();
        let late = |tick: &i64| *tick >= alive_since;
        let punctual: Vec<i64> = due.iter().copied().filter(late).collect();
        let expected = match catch_up {
            CatchUp::One if punctual.is_empty() => due.last().into_iter().copied().collect(),
            CatchUp::Skip | CatchUp::One => punctual,
            CatchUp::All => due.clone(),
        };
        let found = cron.due(zone, next_tick, now, alive_since, catch_up);
        prop_assert_eq!(found.dropped, (due.len() - expected.len()).min(DROPPED_COUNTED));
        prop_assert_eq!(found.fire, expected);
        prop_assert_eq!(found.last, due.last().copied());
        prop_assert_eq!(found.next, all().find(|tick| *tick > now));
    }

    #[test]
    fn no_text_makes_it_panic_or_ponder(text in "\\PC{0,1100}|[-*/,0-9a-zA-Z@ \\t]{0,1100}|([-*/,0-9]{1,5} ){4,6}", at: i64) {
        let started = Instant::now();
        if let Ok(cron) = Cron::parse(&text) {
            let _ = (cron.next(Zone::UTC, at), cron.last(Zone::UTC, at));
        }
        let _ = Zone::parse(&text);
        prop_assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn no_times_make_it_panic_or_ponder(cron in cron(), zone in zone(), times: [i64; 3], near in time()) {
        let [next_tick, now, alive_since] = times;
        let started = Instant::now();
        for at in [i64::MIN, now, near, i64::MAX] {
            prop_assert!(cron.next(zone, at).is_none_or(|tick| tick > at));
            prop_assert!(cron.last(zone, at).is_none_or(|tick| tick <= at));
            let due = cron.due(zone, next_tick, at, alive_since, CatchUp::All);
            prop_assert!(due.fire.len() <= FIRED_MOST);
        }
        prop_assert!(started.elapsed() < Duration::from_secs(1));
    }
}

/// On this the search for the change of an offset relies.
#[test]
fn no_zone_changes_twice_within_three_days() {
    let step = DAY / 2;
    for zone in chrono_tz::TZ_VARIANTS {
        let mut changed = i64::MIN;
        let mut before = offset(zone, YEARS.start);
        for second in YEARS.step_by(usize::try_from(step).expect("positive")) {
            let now = offset(zone, second);
            if now != before {
                assert!(second.saturating_sub(changed) > 4 * DAY, "{} about {second}", zone.name());
                (changed, before) = (second, now);
            }
        }
    }
}
