//! Ticks, written as a clock in UTC shows them.

use super::*;
use chrono::NaiveDateTime;
use proptest::prelude::*;

/// `2024-02-29 12:00` or `2024-02-29 12:00:30`, in UTC.
fn at(text: &str) -> i64 {
    let whole = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
    let time = NaiveDateTime::parse_from_str(&whole, "%Y-%m-%d %H:%M:%S").expect(text);
    instant_of(time.and_utc().timestamp())
}

fn shown(instant: i64) -> String {
    let time = chrono::DateTime::from_timestamp(second_of(instant), 0).expect("in range");
    let whole = time.format("%Y-%m-%d %H:%M:%S").to_string();
    whole.strip_suffix(":00").unwrap_or(&whole).to_owned()
}

fn zone(name: &str) -> Zone {
    Zone::parse(name).expect(name)
}

fn cron(text: &str) -> Cron {
    Cron::parse(text).expect(text)
}

/// The first ticks after `after`.
fn ticks(text: &str, zone_name: &str, after: &str, count: usize) -> Vec<String> {
    let (cron, zone) = (cron(text), zone(zone_name));
    let ticks = std::iter::successors(cron.next(zone, at(after)), |tick| cron.next(zone, *tick));
    ticks.take(count).map(shown).collect()
}

#[test]
fn the_next_tick_in_utc() {
    for (text, after, next) in [
        ("* * * * *", "2024-01-01 00:00", "2024-01-01 00:01"),
        ("* * * * *", "2024-12-31 23:59:59", "2025-01-01 00:00"),
        ("* * * * * */3", "2024-01-01 00:00:58", "2024-01-01 00:01"),
        ("* * * * * */3", "2024-01-01 00:00:01", "2024-01-01 00:00:03"),
        ("5/10 * * * *", "2024-01-01 00:55", "2024-01-01 01:05"),
        ("0 0 29 2 *", "2024-02-29 00:00", "2028-02-29 00:00"),
        ("0 0 29 2 *", "2096-02-29 00:00", "none"),
        ("0 0 31 2 *", "2024-02-29 00:00", "none"),
        ("0 0 31 * *", "2024-04-01 00:00", "2024-05-31 00:00"),
        ("@yearly", "1900-01-01 00:00", "1970-01-01 00:00"),
        ("59 23 31 12 * 59", "2024-12-31 23:59:59", "2025-12-31 23:59:59"),
        ("59 23 31 12 * 59", "2100-12-31 23:59:58", "2100-12-31 23:59:59"),
        ("59 23 31 12 * 59", "2100-12-31 23:59:59", "none"),
        ("0 0 * * sun", "2024-02-29 00:00", "2024-03-03 00:00"),
        ("0 0 * * 7", "2024-02-29 00:00", "2024-03-03 00:00"),
    ] {
        let next_tick = cron(text).next(Zone::UTC, at(after));
        assert_eq!(next_tick.map_or("none".to_owned(), shown), next, "{text} after {after}");
    }
}

#[test]
fn restricted_days_match_either_and_days_that_begin_with_a_star_both() {
    // 2024-03-01 was a Friday.
    for (text, days) in [
        ("0 0 13 * 5", [1, 8, 13, 15, 22, 29]),
        ("0 0 13-14 * 5", [1, 8, 13, 14, 15, 22]),
        ("0 0 */5 * 5,6", [1, 16, 37, 57, 72, 92]),
        ("0 0 1-7 * */6", [2, 3, 37, 38, 65, 66]),
        ("0 0 *,13 * 5", [1, 8, 15, 22, 29, 36]),
        ("0 0 13,* * 5", [1, 2, 3, 4, 5, 6]),
        ("0 0 1-31 * 5", [1, 2, 3, 4, 5, 6]),
        ("0 0 1/10 * 5", [1, 8, 11, 15, 21, 22]),
        ("0 0 * * 5", [1, 8, 15, 22, 29, 36]),
        ("0 0 13 * *", [13, 44, 74, 105, 135, 166]),
    ] {
        let march = at("2024-02-29 00:00");
        let expected = days.map(|day| shown(march + day * DAY * MICROSECONDS));
        assert_eq!(ticks(text, "UTC", "2024-02-29 00:00", 6), expected, "{text}");
    }
}

#[test]
fn a_tick_in_a_gap_comes_once_at_its_end() {
    // 2024-03-31 01:00 UTC: from 02:00 to 03:00.
    let before = "2024-03-31 00:30";
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", before, 2), ["2024-03-31 01:00", "2024-04-01 00:30"]);
    assert_eq!(
        ticks("0,30 2,3 * * *", "Europe/Berlin", before, 3),
        ["2024-03-31 01:00", "2024-03-31 01:30", "2024-04-01 00:00"]
    );
    // 30 minutes: 2024-10-05 15:30 UTC, from 02:00 to 02:30.
    assert_eq!(
        ticks("15 2 * * *", "Australia/Lord_Howe", "2024-10-05 15:00", 2),
        ["2024-10-05 15:30", "2024-10-06 15:15"]
    );
    // A day: Samoa had no 30th of December.
    assert_eq!(
        ticks("0 12 29-31 12 *", "Pacific/Apia", "2011-12-29 00:00", 3),
        ["2011-12-29 22:00", "2011-12-30 10:00", "2011-12-30 22:00"]
    );
    // 44 minutes and 30 seconds: 1972-01-07 00:44:30 UTC, from 00:00 to 00:44:30.
    assert_eq!(
        ticks("0 0 * * *", "Africa/Monrovia", "1972-01-06 12:00", 2),
        ["1972-01-07 00:44:30", "1972-01-08 00:00"]
    );
    assert_eq!(ticks("0 0 * * *", "Africa/Monrovia", "1972-01-05 00:00", 1), ["1972-01-05 00:44:30"]);
}

#[test]
fn a_tick_in_an_overlap_comes_once_the_first_time() {
    // 2024-10-27 01:00 UTC: from 03:00 to 02:00.
    assert_eq!(ticks("30 2 * * *", "Europe/Berlin", "2024-10-26 23:30", 2), ["2024-10-27 00:30", "2024-10-28 01:30"]);
    for after in ["2024-10-27 00:30", "2024-10-27 01:10", "2024-10-27 01:30"] {
        assert_eq!(ticks("30 2 * * *", "Europe/Berlin", after, 1), ["2024-10-28 01:30"], "{after}");
    }
    // Seconds alone make no beat.
    assert_eq!(
        ticks("59 2 * * * */30", "Europe/Berlin", "2024-10-27 00:00", 3),
        ["2024-10-27 00:59", "2024-10-27 00:59:30", "2024-10-28 01:59"]
    );
}

#[test]
fn a_beat_goes_on_through_both() {
    for (text, zone, after, expected) in [
        (
            "0 * * * *",
            "Europe/Berlin",
            "2024-03-30 23:30",
            ["2024-03-31 00:00", "2024-03-31 01:00", "2024-03-31 02:00"],
        ),
        (
            "0 * * * *",
            "Europe/Berlin",
            "2024-10-26 23:30",
            ["2024-10-27 00:00", "2024-10-27 01:00", "2024-10-27 02:00"],
        ),
        // 00:00, 04:00 and 06:00 on the clock: it never shows 02:00.
        (
            "0 */2 * * *",
            "Europe/Berlin",
            "2024-03-30 22:30",
            ["2024-03-30 23:00", "2024-03-31 02:00", "2024-03-31 04:00"],
        ),
        // The clock shows 02:xx twice, and never.
        (
            "*/30 2 * * *",
            "Europe/Berlin",
            "2024-10-27 00:00",
            ["2024-10-27 00:30", "2024-10-27 01:00", "2024-10-27 01:30"],
        ),
        (
            "*/30 2 * * *",
            "Europe/Berlin",
            "2024-03-30 01:00",
            ["2024-03-30 01:30", "2024-04-01 00:00", "2024-04-01 00:30"],
        ),
        // A shift of 30 minutes moves the full hour.
        (
            "0 * * * *",
            "Australia/Lord_Howe",
            "2024-04-06 14:30",
            ["2024-04-06 15:30", "2024-04-06 16:30", "2024-04-06 17:30"],
        ),
    ] {
        assert_eq!(ticks(text, zone, after, 3), expected, "{text} in {zone}");
    }
}

#[test]
fn the_infinities_have_answers() {
    let (minutely, daily) = (cron("* * * * *"), cron("0 0 * * *"));
    for name in ["UTC", "Europe/Berlin", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Africa/Monrovia"] {
        for cron in [&minutely, &daily] {
            assert_eq!(cron.next(zone(name), i64::MAX), None);
            assert_eq!(cron.last(zone(name), i64::MIN), None);
            let first = cron.next(zone(name), i64::MIN).unwrap();
            let last = cron.last(zone(name), i64::MAX).unwrap();
            assert!((first - at("1970-01-01 00:00")).abs() <= DAY * MICROSECONDS, "{name}");
            assert!((last - at("2100-12-31 00:00")).abs() <= 2 * DAY * MICROSECONDS, "{name}");
            assert_eq!(cron.next(zone(name), last), None);
            assert_eq!(cron.last(zone(name), first - 1), None);
        }
    }
}

#[test]
fn a_zone_is_found_in_any_case() {
    assert_eq!(Zone::parse("europe/BERLIN").map(Zone::name), Some("Europe/Berlin"));
    assert_eq!(Zone::parse("utc"), Some(Zone::UTC));
    for name in ["", "Berlin", "Europe/Berlin ", "+01:00", "Europe/Bérlin", "\u{1f570}"] {
        assert_eq!(Zone::parse(name), None, "{name}");
    }
}

proptest! {
    #[test]
    fn no_text_and_no_time_makes_it_panic(text in "[ -~]{0,30}|[*/0-9a-z,@ -]{0,30}|.{0,20}", after: i64) {
        if let Ok(cron) = Cron::parse(&text) {
            prop_assert!(cron.next(Zone::UTC, after).is_none_or(|tick| tick > after));
            prop_assert!(cron.last(Zone::UTC, after).is_none_or(|tick| tick <= after));
        }
    }
}
