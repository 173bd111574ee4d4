//! Which local times an expression matches: each field is compared with each item of its list. It reads only what is
//! valid.

use chrono::{DateTime, Datelike, Timelike};

const NAMES: [&str; 19] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "sun", "mon", "tue", "wed",
    "thu", "fri", "sat",
];

/// What a clock shows, in the order of the fields: minute, hour, day, month, day of the week, second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown([u8; 6]);

impl Shown {
    /// What it shows at a local time.
    pub fn at(local: i64) -> Shown {
        let time = DateTime::from_timestamp(local, 0).expect("a second of chrono's");
        let week = time.weekday().num_days_from_sunday();
        let fields = [time.minute(), time.hour(), time.day(), time.month(), week, time.second()];
        Shown(fields.map(|field| u8::try_from(field).expect("a field is small")))
    }
}

/// An expression.
#[derive(Debug, Clone)]
pub struct Matcher {
    /// For each field, the values that match.
    values: [[bool; 60]; 6],
    both_days: bool,
    /// Whether the hour or the minute begins with `*`.
    pub keeps_beat: bool,
}

impl Matcher {
    /// Reads a valid expression that is not one of those with a name.
    pub fn new(text: &str) -> Matcher {
        let text = if text.split(' ').count() == 5 { format!("{text} 0") } else { text.to_owned() };
        let words: Vec<&str> = text.split(' ').collect();
        let limits = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 6), (0, 59)];
        let mut values = [[false; 60]; 6];
        for (field, word) in words.iter().enumerate() {
            for value in 0..60 {
                let mut items = word.split(',');
                // Sunday is 0 and 7.
                values[field][usize::from(value)] = items.any(|item| {
                    matches(item, value, limits[field]) || field == 4 && value == 0 && matches(item, 7, limits[field])
                });
            }
        }
        let begins_with_star = |field: usize| words[field].starts_with('*');
        Matcher {
            values,
            both_days: begins_with_star(2) || begins_with_star(4),
            keeps_beat: begins_with_star(0) || begins_with_star(1),
        }
    }

    /// Whether what the clock shows matches.
    pub fn matches(&self, Shown(fields): &Shown) -> bool {
        let matches = |field: usize| self.values[field][usize::from(fields[field])];
        let days = if self.both_days { matches(2) && matches(4) } else { matches(2) || matches(4) };
        days && matches(0) && matches(1) && matches(3) && matches(5)
    }
}

fn matches(item: &str, value: u8, (min, max): (u8, u8)) -> bool {
    let (range, step) = item.split_once('/').map_or((item, None), |(range, step)| (range, Some(number(step))));
    let (low, high) = match range.split_once('-') {
        Some((low, high)) if high.eq_ignore_ascii_case("sun") && number(low) > 0 => (number(low), 7),
        Some((low, high)) => (number(low), number(high)),
        None if range == "*" => (min, max),
        // 7/2 is 0/2: from Sunday on.
        None if step.is_some() => (number(range) % if max == 6 { 7 } else { 60 }, max),
        None => (number(range), number(range)),
    };
    (low..=high).contains(&value) && (value - low).is_multiple_of(step.unwrap_or(1))
}

fn number(text: &str) -> u8 {
    match NAMES.iter().position(|name| name.eq_ignore_ascii_case(text)) {
        Some(month) if month < 12 => u8::try_from(month).expect("small") + 1,
        Some(day) => u8::try_from(day).expect("small") - 12,
        None => text.parse().expect("a number"),
    }
}
