//! One field of an expression: from its words to the list of its values in the dialect of the `cron` crate.

use super::parse::ParseError;

/// What may stand in a field.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    min: u8,
    max: u8,
    /// The names of the values, from `min` on.
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS_OF_WEEK: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
/// Sunday at the end of a week.
const SUNDAY: u8 = 7;

pub(super) const MINUTE: Field = Field { name: "minute", min: 0, max: 59, names: &[] };
pub(super) const HOUR: Field = Field { name: "hour", min: 0, max: 23, names: &[] };
pub(super) const DAY: Field = Field { name: "day of month", min: 1, max: 31, names: &[] };
pub(super) const MONTH: Field = Field { name: "month", min: 1, max: 12, names: &MONTHS };
pub(super) const DAY_OF_WEEK: Field = Field { name: "day of week", min: 0, max: 6, names: &DAYS_OF_WEEK };
pub(super) const SECOND: Field = Field { name: "second", min: 0, max: 59, names: &[] };

impl Field {
    /// Reads the field that begins at the character `at`, and says it in the crate's dialect.
    ///
    /// # Errors
    /// The position that could not be read, and why.
    pub(super) fn read(&self, (at, word): (usize, &str)) -> Result<String, ParseError> {
        let mut values = 0;
        let mut item_at = at;
        for item in word.split(',') {
            values |= self.item(item_at, item)?;
            item_at += item.len() + 1;
        }
        Ok(self.list(values))
    }

    /// The values of an item of the list: bit n stands for the value n.
    fn item(&self, at: usize, item: &str) -> Result<u64, ParseError> {
        if item.is_empty() {
            return Err(self.error(at, "there is nothing between the commas"));
        }
        let (range, step) = match item.split_once('/') {
            Some((range, step)) => (range, Some(self.step(at + range.len() + 1, step)?)),
            None => (item, None),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((first, last)) => self.range(at, first, last, step.unwrap_or(1))?,
            None => {
                let first = self.in_week(self.value(at, range)?);
                (first, if step.is_some() { self.max } else { first })
            }
        };
        Ok(bits(self.every(step.unwrap_or(1), first, last)))
    }

    fn step(&self, at: usize, step: &str) -> Result<u8, ParseError> {
        let most = self.max - self.min + 1;
        let valid = number(step).filter(|step| (1..=most).contains(step));
        valid.ok_or_else(|| self.error(at, format!("a step must be from 1 to {most}")))
    }

    fn range(&self, at: usize, first: &str, last: &str, step: u8) -> Result<(u8, u8), ParseError> {
        let low = self.value(at, first)?;
        let mut high = self.value(at + first.len() + 1, last)?;
        // A week that is named ends with Sunday, too: fri-sun.
        if self.is_week() && low > 0 && last.eq_ignore_ascii_case("sun") {
            high = SUNDAY;
        }
        if low <= high {
            return Ok((low, high));
        }
        Err(self.error(at, format!("the range runs backward: write {}", self.wrapped(low, high, step))))
    }

    /// What a range means that runs past the field's end.
    fn wrapped(&self, low: u8, high: u8, step: u8) -> String {
        let count = self.max - self.min + 1;
        if step > 1 {
            let values = self.every(step, low, high + count).map(|value| (value - self.min) % count + self.min);
            return values.map(|value| value.to_string()).collect::<Vec<_>>().join(",");
        }
        match (low, high) {
            (SUNDAY, high) if self.is_week() => range_text(0, high),
            (low, 0) if self.is_week() => range_text(low, SUNDAY),
            (low, high) => format!("{},{}", range_text(low, self.max), range_text(self.min, high)),
        }
    }

    /// A number or a name. Sunday may be 7.
    fn value(&self, at: usize, text: &str) -> Result<u8, ParseError> {
        let max = if self.is_week() { SUNDAY } else { self.max };
        let (min, names) = (self.min, self.names);
        if text.is_empty() {
            return Err(self.error(at, format!("a number from {min} to {max} is missing")));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let valid = number(text).filter(|value| (min..=max).contains(value));
            return valid.ok_or_else(|| self.error(at, format!("{text} is not in the range {min} to {max}")));
        }
        let named = (min..).zip(names).find(|(_, name)| name.eq_ignore_ascii_case(text));
        named.map(|(value, _)| value).ok_or_else(|| {
            let or_name = match (names.first(), names.last()) {
                (Some(first), Some(last)) => format!(" or a name from {first} to {last}"),
                _ => String::new(),
            };
            self.error(at, format!("\"{text}\" is not a number from {min} to {max}{or_name}"))
        })
    }

    fn every(&self, step: u8, first: u8, last: u8) -> impl Iterator<Item = u8> {
        (first..=last).step_by(usize::from(step)).map(|value| self.in_week(value))
    }

    /// Sunday at the end of the week is the one at its beginning.
    fn in_week(&self, value: u8) -> u8 {
        if self.is_week() && value == SUNDAY { 0 } else { value }
    }

    fn is_week(&self) -> bool {
        self.names.first() == DAYS_OF_WEEK.first()
    }

    /// The values as the crate reads them fastest: `*`, or ranges and numbers.
    fn list(&self, values: u64) -> String {
        if values == bits(self.min..=self.max) {
            return "*".to_owned();
        }
        let in_crate = |value| if self.is_week() { value + 1 } else { value };
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for value in (self.min..=self.max).filter(|value| values & (1 << value) != 0).map(in_crate) {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == value => *last = value,
                _ => ranges.push((value, value)),
            }
        }
        ranges.iter().map(|(first, last)| range_text(*first, *last)).collect::<Vec<_>>().join(",")
    }

    fn error(&self, position: usize, what: impl Into<String>) -> ParseError {
        ParseError { field: self.name, position, what: what.into() }
    }
}

fn bits(values: impl Iterator<Item = u8>) -> u64 {
    values.fold(0, |bits, value| bits | 1 << value)
}

fn number(text: &str) -> Option<u8> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

fn range_text(first: u8, last: u8) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}
