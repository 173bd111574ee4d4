//! Reads an expression of our dialect and says it in that of the `cron` crate: seconds first, Sunday is 1, and both the
//! day of the month and the day of the week must match. Each field is read here, so that an error says which and where;
//! the crate gets only lists of numbers and ranges.

use super::Cron;
use super::field::{DAY, DAY_OF_WEEK, HOUR, MINUTE, MONTH, SECOND};
use std::fmt;
use std::str::FromStr;

/// No expression that makes sense is longer, bytes.
const LONGEST: usize = 1000;

const NAMED: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// Why a text is no expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The field in words, such as `day of month`, or `expression` if it is about the whole.
    pub field: &'static str,
    /// The character, counted from 1, at which the text could not be read.
    pub position: usize,
    /// What is wrong there, a sentence without a full stop.
    pub what: String,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, character {}: {}", self.field, self.position, self.what)
    }
}

impl std::error::Error for ParseError {}

impl ParseError {
    fn of_expression(position: usize, what: impl Into<String>) -> ParseError {
        ParseError { field: "expression", position, what: what.into() }
    }
}

impl Cron {
    /// Reads an expression.
    ///
    /// # Errors
    /// The field and the position that could not be read, and why.
    pub fn parse(text: &str) -> Result<Cron, ParseError> {
        check_characters(text)?;
        let words = words(text);
        match words.as_slice() {
            [(at, name)] if name.starts_with('@') => parse_fields(&self::words(named(*at, name)?)),
            words => parse_fields(words),
        }
    }
}

/// From here on a character is a byte.
fn check_characters(text: &str) -> Result<(), ParseError> {
    if text.len() > LONGEST {
        return Err(ParseError::of_expression(1, format!("there are more than {LONGEST} bytes")));
    }
    match text.chars().position(|character| !character.is_ascii()) {
        Some(index) => Err(ParseError::of_expression(index + 1, "the character is not ASCII")),
        None => Ok(()),
    }
}

/// The words, each with its position, counted from 1.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut at = 1;
    let mut words = Vec::new();
    for word in text.split(|character: char| character.is_ascii_whitespace()) {
        if !word.is_empty() {
            words.push((at, word));
        }
        at += word.len() + 1;
    }
    words
}

fn named(at: usize, name: &str) -> Result<&'static str, ParseError> {
    let known = NAMED.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    known.map(|(_, expression)| *expression).ok_or_else(|| {
        let all = NAMED.map(|(known, _)| known).join(", ");
        ParseError::of_expression(at, format!("\"{name}\" is none of {all}"))
    })
}

fn parse_fields(words: &[(usize, &str)]) -> Result<Cron, ParseError> {
    let (minute, hour, day, month, day_of_week, second) = match *words {
        [minute, hour, day, month, day_of_week] => (minute, hour, day, month, day_of_week, (0, "0")),
        [minute, hour, day, month, day_of_week, second] => (minute, hour, day, month, day_of_week, second),
        _ => return Err(wrong_number(words)),
    };
    let minutes = MINUTE.read(minute)?;
    let hours = HOUR.read(hour)?;
    let days = DAY.read(day)?;
    let months = MONTH.read(month)?;
    let days_of_week = DAY_OF_WEEK.read(day_of_week)?;
    let seconds = SECOND.read(second)?;

    let schedule = |days: &str, days_of_week: &str| {
        let text = format!("{seconds} {minutes} {hours} {days} {months} {days_of_week}");
        // It does not happen: every number has been looked at.
        ::cron::Schedule::from_str(&text).map_err(|error| ParseError::of_expression(1, error.to_string()))
    };
    let begins_with_star = |(_, word): (usize, &str)| word.starts_with('*');
    let schedules = if begins_with_star(day) || begins_with_star(day_of_week) {
        vec![schedule(&days, &days_of_week)?]
    } else {
        vec![schedule(&days, "*")?, schedule("*", &days_of_week)?]
    };
    Ok(Cron { schedules, keeps_beat: begins_with_star(minute) || begins_with_star(hour) })
}

fn wrong_number(words: &[(usize, &str)]) -> ParseError {
    let what =
        format!("there are {} fields, not 5 or 6 (minute hour day-of-month month day-of-week [second])", words.len());
    let surplus = words.get(6).map(|(at, _)| *at);
    let end = words.last().map_or(1, |(at, word)| at + word.len());
    ParseError::of_expression(surplus.unwrap_or(end), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (&'static str, usize, String) {
        let error = Cron::parse(text).expect_err(text);
        (error.field, error.position, error.what)
    }

    #[test]
    fn an_error_says_which_field_and_where() {
        for (text, field, position, what) in [
            ("60 * * * *", "minute", 1, "60 is not in the range 0 to 59"),
            ("  0   24 * * *", "hour", 7, "24 is not in the range 0 to 23"),
            ("0 0 0 * *", "day of month", 5, "0 is not in the range 1 to 31"),
            ("0 0 1,15,32 * *", "day of month", 10, "32 is not in the range 1 to 31"),
            ("0 0 * 0 *", "month", 7, "0 is not in the range 1 to 12"),
            ("0 0 * 1-13 *", "month", 9, "13 is not in the range 1 to 12"),
            ("0 0 * * 8", "day of week", 9, "8 is not in the range 0 to 7"),
            ("0 0 * * * 60", "second", 11, "60 is not in the range 0 to 59"),
            ("99999999999999999999 * * * *", "minute", 1, "99999999999999999999 is not in the range 0 to 59"),
            ("*/0 * * * *", "minute", 3, "a step must be from 1 to 60"),
            ("*/90 * * * *", "minute", 3, "a step must be from 1 to 60"),
            ("0 */25 * * *", "hour", 5, "a step must be from 1 to 24"),
            ("0 0 * * */8", "day of week", 11, "a step must be from 1 to 7"),
            ("*/ * * * *", "minute", 3, "a step must be from 1 to 60"),
            ("*/x * * * *", "minute", 3, "a step must be from 1 to 60"),
            ("*/5/5 * * * *", "minute", 3, "a step must be from 1 to 60"),
            ("1,,2 * * * *", "minute", 3, "there is nothing between the commas"),
            ("1, * * * *", "minute", 3, "there is nothing between the commas"),
            (",1 * * * *", "minute", 1, "there is nothing between the commas"),
            ("- * * * *", "minute", 1, "a number from 0 to 59 is missing"),
            ("1- * * * *", "minute", 3, "a number from 0 to 59 is missing"),
            ("-1 * * * *", "minute", 1, "a number from 0 to 59 is missing"),
            ("/5 * * * *", "minute", 1, "a number from 0 to 59 is missing"),
            ("1-2-3 * * * *", "minute", 3, "\"2-3\" is not a number from 0 to 59"),
            ("**  * * * *", "minute", 1, "\"**\" is not a number from 0 to 59"),
            ("*-5 * * * *", "minute", 1, "\"*\" is not a number from 0 to 59"),
            ("+5 * * * *", "minute", 1, "\"+5\" is not a number from 0 to 59"),
            ("mon * * * *", "minute", 1, "\"mon\" is not a number from 0 to 59"),
            ("0 0 L * *", "day of month", 5, "\"L\" is not a number from 1 to 31"),
            ("0 0 ? * *", "day of month", 5, "\"?\" is not a number from 1 to 31"),
            ("0 0 * mon *", "month", 7, "\"mon\" is not a number from 1 to 12 or a name from jan to dec"),
            ("0 0 * january *", "month", 7, "\"january\" is not a number from 1 to 12 or a name from jan to dec"),
            ("0 0 * * 1,jan", "day of week", 11, "\"jan\" is not a number from 0 to 7 or a name from sun to sat"),
            ("0 0 * * 5#2", "day of week", 9, "\"5#2\" is not a number from 0 to 7 or a name from sun to sat"),
        ] {
            assert_eq!(error(text), (field, position, what.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_range_that_runs_backward_is_refused_with_what_to_write() {
        for (text, field, position, instead) in [
            ("50-10 * * * *", "minute", 1, "50-59,0-10"),
            ("0 23-1 * * *", "hour", 3, "23,0-1"),
            ("0 22-0 * * *", "hour", 3, "22-23,0"),
            ("0 1,22-3/2 * * *", "hour", 5, "22,0,2"),
            ("0 0 31-1 * *", "day of month", 5, "31,1"),
            ("0 0 * nov-feb *", "month", 7, "11-12,1-2"),
            ("0 0 * * fri-mon", "day of week", 9, "5-6,0-1"),
            ("0 0 * * 6-0", "day of week", 9, "6-7"),
            ("0 0 * * 7-0", "day of week", 9, "0"),
            ("0 0 * * 7-2", "day of week", 9, "0-2"),
            ("0 0 * * 5-2/3", "day of week", 9, "5,1"),
        ] {
            let what = format!("the range runs backward: write {instead}");
            assert_eq!(error(text), (field, position, what), "{text}");
            let mut fields: Vec<&str> = text.split(' ').collect();
            let index = fields.iter().position(|word| word.contains('-')).unwrap();
            fields[index] = instead;
            Cron::parse(&fields.join(" ")).unwrap();
        }
    }

    #[test]
    fn an_error_about_the_whole_says_where_it_shows() {
        let fields =
            |n| format!("there are {n} fields, not 5 or 6 (minute hour day-of-month month day-of-week [second])");
        for (text, position, what) in [
            ("", 1, fields(0)),
            (" \t ", 1, fields(0)),
            ("0 0 * *", 8, fields(4)),
            ("0 0 * *  ", 8, fields(4)),
            ("0 0 * * * 0 2030", 13, fields(7)),
            ("0 0 * * * 0 2030 x", 13, fields(8)),
            ("@daily 5", 9, fields(2)),
            ("0 ä * * *", 3, "the character is not ASCII".to_owned()),
            ("äöü", 1, "the character is not ASCII".to_owned()),
        ] {
            assert_eq!(error(text), ("expression", position, what), "{text}");
        }
        let named = "@yearly, @annually, @monthly, @weekly, @daily, @midnight, @hourly";
        assert_eq!(error(" @reboot"), ("expression", 2, format!("\"@reboot\" is none of {named}")));
        let long = format!("{} * * * *", vec!["0"; 500].join(","));
        assert_eq!(error(&long), ("expression", 1, "there are more than 1000 bytes".to_owned()));
        assert!(Cron::parse(&long.replacen("0,", "", 4)).is_ok());
    }

    #[test]
    fn what_reads_alike_is_the_same() {
        for (one, other) in [
            ("@Yearly", "0 0 1 1 *"),
            ("@annually", "0 0 1 JAN *"),
            (" @monthly ", "0 0 1 * *"),
            ("@WEEKLY", "0 0 * * sun"),
            ("@daily", "0 0 * * *"),
            ("@midnight", "00 00 * * *"),
            ("@hourly", "0 * * * *"),
            ("\t0  0\n* * *\r", "0 0 * * * 0"),
            ("0 0 * * 7", "0 0 * * 0"),
            ("0 0 * * 5-7", "0 0 * * Fri,saT,SUN"),
            ("0 0 * * fri-sun", "0 0 * * 5-7"),
            ("0 0 * * sun-mon", "0 0 * * 7,1"),
            ("0 0 * * 0-7", "0 0 * * 0-6"),
            ("0 0 * * 1/2", "0 0 * * 1,3,5"),
            ("0 0 * * 7/2", "0 0 * * 0,2,4,6"),
            ("0 0 * * 1-7/2", "0 0 * * 0,1,3,5"),
            ("0 0 * * 7-7", "0 0 * * 0"),
            ("5/10 * * * *", "5,15,25,35,45,55 * * * *"),
            ("5-30/10,7 0-23/24 * * *", "7,25,5,15 0 * * *"),
            ("5-5 0 1-31 * *", "5 0 1-31 1/1 *"),
            ("0 0 * * * */20", "0 0 * * * 0,20,40"),
        ] {
            let sources = |text| {
                let cron = Cron::parse(text).unwrap();
                cron.schedules.iter().map(|schedule| schedule.source().to_owned()).collect::<Vec<_>>()
            };
            assert_eq!(sources(one), sources(other), "{one}");
        }
    }
}
