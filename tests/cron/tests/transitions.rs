//! Every change of the clock from 2020 to 2037: the core names exactly the ticks that the contract's words give, found
//! by reading the clock at every minute or second.

#![allow(clippy::expect_used, clippy::panic, reason = "a test ends with a panic")]

use chrono_tz::Tz;
use pgqueuer_core::cron::{Cron, Zone};
use pgqueuer_cron_test::definition::Around;
use pgqueuer_cron_test::expression::{Dialect, minutes, seconds};
use pgqueuer_cron_test::matcher::Matcher;
use pgqueuer_cron_test::{DAY, changes, instant, second, ticks, ticks_back};
use proptest::prelude::*;
use proptest::sample::select;

const FROM: i64 = 1_577_836_800;
const UNTIL: i64 = 2_145_916_800;

const ZONES: [Tz; 18] = [
    Tz::Africa__Cairo,
    // Winter time in Ramadan.
    Tz::Africa__Casablanca,
    Tz::America__Asuncion,
    Tz::America__Havana,
    Tz::America__New_York,
    Tz::America__Nuuk,
    Tz::America__Santiago,
    // No more: nothing changes.
    Tz::America__Sao_Paulo,
    // Two hours.
    Tz::Antarctica__Troll,
    // Midnight, and Saturdays.
    Tz::Asia__Beirut,
    Tz::Asia__Gaza,
    Tz::Asia__Tehran,
    // Half an hour.
    Tz::Australia__Lord_Howe,
    Tz::Europe__Berlin,
    // Its winter is the exception.
    Tz::Europe__Dublin,
    Tz::Pacific__Apia,
    // 12 hours and 45 minutes.
    Tz::Pacific__Chatham,
    Tz::Pacific__Norfolk,
];

/// Rare changes of other years: zone and second.
const ODD: [(Tz, i64); 9] = [
    // 44 minutes and 30 seconds forward.
    (Tz::Africa__Monrovia, 63_593_070),
    // A day forward, out of it and into it.
    (Tz::Pacific__Kwajalein, 745_934_400),
    (Tz::Pacific__Kiritimati, 788_868_000),
    (Tz::Pacific__Apia, 1_325_239_200),
    // Seven and three hours backward.
    (Tz::Antarctica__Vostok, 760_035_600),
    (Tz::Antarctica__Casey, 1_267_714_800),
    // Half an hour for good, and a quarter.
    (Tz::Asia__Pyongyang, 1_439_564_400),
    (Tz::America__Caracas, 1_197_183_600),
    (Tz::Asia__Kathmandu, 504_901_800),
];

const BY_MINUTE: [&str; 34] = [
    "* * * * *",
    "*/7 * * * *",
    "30 * * * *",
    "0 * * * *",
    "0 */2 * * *",
    "0 */3 * * *",
    "*/30 2 * * *",
    "*/20 1,2,3 * * 0",
    "* 0 * * *",
    "*/15 23 * * *",
    "0-59 2 * * *",
    "30 2 * * *",
    "0 2 * * *",
    "0 3 * * *",
    "30 1 * * *",
    "0 1 * * *",
    "15,45 1,2,3 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "59 23 * * *",
    "0 12 * * *",
    "0 0-23 * * *",
    "30 0-23/2 * * *",
    "0,15,30,45 0-3 * * *",
    "30 2 * * 0",
    "30 2 * * sat,sun",
    "0 0 */2 * *",
    "30 2 1-31/2 * 0",
    "0 2 * 3,10 *",
    "59 1 * * fri-sun",
    "0 0 1 * *",
    "30 3 31 3 *",
    "0-30 1-3 * 3,4,9-11 *",
    "5/25 2/7 * * *",
];

const BY_SECOND: [&str; 9] = [
    "* * * * * */13",
    "30 2 * * * 15",
    "59 * * * * 59",
    "0 2 * * * */20",
    "* 2 * * * 30",
    "59 0-3 * * * 50/3",
    "0,44,45 0 * * * 0,30",
    "0 0 * * *",
    "30 1 * * *",
];

#[derive(Clone)]
struct Case {
    text: String,
    cron: Cron,
    matcher: Matcher,
}

fn case(text: &str) -> Case {
    let cron = Cron::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Case { text: text.to_owned(), cron, matcher: Matcher::new(text) }
}

/// Compares all ticks in both directions, and the next and the last one of many instants between them.
fn check(case: &Case, zone: Tz, around: &Around) {
    let Case { text, cron, matcher } = case;
    let expected = around.ticks(matcher);
    let place = format!("{text} in {} from {} to {}", zone.name(), around.from, around.until);
    let zone = Zone::parse(zone.name()).expect("a zone");
    let forward: Vec<i64> = ticks(cron, zone, around.from - 1).take_while(|tick| *tick <= around.until).collect();
    assert_eq!(forward, expected, "forward: {place}");
    let mut backward: Vec<i64> = ticks_back(cron, zone, around.until).take_while(|tick| *tick >= around.from).collect();
    backward.reverse();
    assert_eq!(backward, expected, "backward: {place}");

    let here = |tick: &i64| (around.from..=around.until).contains(tick);
    for (at, shift) in (around.from..around.until).step_by(37 * 60 + 1).zip([-1, 0, 1].into_iter().cycle()) {
        let between = instant(at) + shift;
        let (past, future) = expected.split_at(expected.partition_point(|tick| instant(*tick) <= between));
        let next = cron.next(zone, between).map(second).filter(here);
        assert_eq!(next.as_ref(), future.first(), "after {between}: {place}");
        let last = cron.last(zone, between).map(second).filter(here);
        assert_eq!(last.as_ref(), past.last(), "until {between}: {place}");
    }
}

fn check_all(cases: &[Case], zone: Tz, around: &Around) {
    for case in cases {
        check(case, zone, around);
    }
}

/// The changes of all zones, at least so many as there are known to be.
fn all_changes() -> Vec<(Tz, i64)> {
    let all: Vec<(Tz, i64)> =
        ZONES.iter().flat_map(|zone| changes(*zone, FROM, UNTIL).into_iter().map(|change| (*zone, change))).collect();
    // 2030 has two Ramadans.
    let of = |zone: Tz| all.iter().filter(|(other, _)| *other == zone).count();
    assert_eq!((of(Tz::Europe__Berlin), of(Tz::Africa__Casablanca), of(Tz::America__Sao_Paulo)), (36, 38, 0));
    assert!(all.len() > 400, "{}", all.len());
    all
}

#[test]
fn around_every_change_the_ticks_are_those_of_the_contract() {
    let cases = BY_MINUTE.map(case);
    for (zone, change) in all_changes() {
        check_all(&cases, zone, &Around::new(zone, change, 60));
    }
}

#[test]
fn with_seconds_they_are_too() {
    let cases = BY_SECOND.map(case);
    for zone in ZONES {
        for change in changes(zone, FROM, FROM + 730 * DAY).into_iter().take(2) {
            check_all(&cases, zone, &Around::new(zone, change, 1));
        }
    }
}

#[test]
fn so_are_those_around_odd_changes() {
    let cases = [BY_SECOND.map(case).as_slice(), BY_MINUTE.map(case).as_slice()].concat();
    for (zone, change) in ODD {
        assert_eq!(changes(zone, change - DAY, change + DAY), [change], "{}", zone.name());
        check_all(&cases, zone, &Around::new(zone, change, 1));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn random_expressions_tick_as_the_contract_says((zone, change) in select(all_changes()), text in minutes(Dialect::Ours)) {
        check(&case(&text), zone, &Around::new(zone, change, 60));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 15, ..ProptestConfig::default() })]

    #[test]
    fn so_do_random_expressions_with_seconds((zone, change) in select(ODD.to_vec()), text in seconds(Dialect::Ours)) {
        check(&case(&text), zone, &Around::new(zone, change, 1));
    }
}
