//! UTC: the core and croniter name the same ticks.

use pgqueuer_core::cron::{Cron, Zone};
use pgqueuer_cron_test::expression::{Dialect, expressions};
use pgqueuer_cron_test::oracle::Oracle;
use pgqueuer_cron_test::{DAY, ticks};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::{Cell, RefCell};

const TICKS: usize = 5;
/// 2045. croniter looks fifty years ahead, and not beyond 2099.
const LATEST_START: i64 = 27_394 * DAY;
/// What is rarer than this, croniter does not find.
const FIFTY_YEARS: i64 = 50 * 365 * DAY;

#[test]
fn the_next_five_ticks_are_those_of_croniter() {
    let oracle = RefCell::new(Oracle::start());
    let config = ProptestConfig { failure_persistence: None, cases: 40, ..ProptestConfig::default() };
    let starts = prop_oneof![3 => 0..LATEST_START, 1 => (0..LATEST_START / DAY).prop_map(|day| day * DAY)];
    let batches = vec((expressions(Dialect::Croniters), starts), 100);
    let compared = Cell::new(0);
    let result = TestRunner::new(config).run(&batches, |batch| {
        for ((text, after), expected) in batch.iter().zip(oracle.borrow_mut().ticks(&batch, TICKS)) {
            let cron = Cron::parse(text).map_err(|error| TestCaseError::fail(format!("{text}: {error}")))?;
            let ours: Vec<i64> = ticks(&cron, Zone::UTC, *after).take(TICKS).collect();
            let (same, rest) = ours.split_at(expected.len().min(ours.len()));
            prop_assert_eq!(same, &expected, "{} after {}", text, after);
            let last = expected.last().unwrap_or(after);
            prop_assert!(
                rest.first().is_none_or(|tick| tick - last > FIFTY_YEARS),
                "{} after {}: {:?}",
                text,
                after,
                ours
            );
            compared.set(compared.get() + expected.len());
        }
        Ok(())
    });
    result.unwrap_or_else(|failure| panic!("{failure}"));
    assert!(compared.get() > 10_000, "only {} ticks were compared", compared.get());
}

#[test]
fn telling_expressions_have_the_ticks_of_croniter() {
    let expressions = [
        "* * * * *",
        "*/5 * * * *",
        "5/10 * * * *",
        "0 0 29 2 *",
        "0 0 31 * *",
        "0 0 30 2,4 *",
        "0 0 13 * 5",
        "0 0 13 * fri",
        "0 0 */2 * 1",
        "0 0 1-31/2 * 1",
        "0 0 1 * */2",
        "0 0 * * 7",
        "0 0 * * 5-7",
        "0 0 * * fri-sun",
        "0 0 * * 1-5",
        "30 4 1,15 * 5",
        "0 22 * * 1-5",
        "23 0-20/2 * * *",
        "5 4 * * sun",
        "0 0,12 1 */2 *",
        "0 0 29 2 1",
        "0 0 31 4 3",
        "* * * * * */3",
        "*/3 * * * * *",
        "59 23 31 12 * 59",
        "0 0 1 1 * 30",
        "@yearly",
        "@monthly",
        "@weekly",
        "@daily",
        "@hourly",
        "@midnight",
        "@annually",
    ];
    // The last days of February, of a year, and of a month with 30 days.
    let starts = [951_696_000, 951_782_400, 978_307_199, 1_709_164_799, 1_735_689_600, 1_714_521_599];
    let asked: Vec<(String, i64)> =
        expressions.iter().flat_map(|text| starts.map(|after| ((*text).to_owned(), after))).collect();
    let mut oracle = Oracle::start();
    for ((text, after), expected) in asked.iter().zip(oracle.ticks(&asked, TICKS)) {
        let cron = Cron::parse(text).expect(text);
        let ours: Vec<i64> = ticks(&cron, Zone::UTC, *after).take(TICKS).collect();
        assert_eq!(ours, expected, "{text} after {after}");
    }
}
