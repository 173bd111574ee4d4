//! Tables for people, JSON for programs.
//!
//! - [`table`] rows under one another, as wide as the terminal
//! - [`shown`] a value as people read it

mod shown;
mod table;

use chrono::{DateTime, Local};
use serde_json::{Map, Value};
use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

pub use shown::{count, grouped, length};

/// A row, in the order of its columns.
pub type Row = Map<String, Value>;

/// How a command ends that could do what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Exit code 0.
    Yes,
    /// Exit code 1: what was asked about is not so, or is not there.
    No,
}

impl From<Answer> for ExitCode {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Yes => Self::SUCCESS,
            Answer::No => Self::from(1),
        }
    }
}

impl From<bool> for Answer {
    fn from(yes: bool) -> Self {
        if yes { Self::Yes } else { Self::No }
    }
}

/// Who reads standard output.
#[derive(Debug, Clone, Copy)]
struct Reader {
    /// How many columns a line has; a file or a pipe takes lines of any length, and nothing is shortened.
    width: Option<usize>,
    /// Times are shown as short as they can be told from now; in a file they are told in full.
    now: Option<DateTime<Local>>,
}

impl Reader {
    fn of_standard_output() -> Self {
        if !io::stdout().is_terminal() {
            return Self { width: None, now: None };
        }
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Self { width: Some(width), now: Some(Local::now()) }
    }
}

/// How a command says what it found.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// Rows: a table, or an array of objects. `none` is what people read where there are none.
    pub fn rows(self, rows: &[Row], none: &str) {
        if self.json {
            self.value(&Value::Array(rows.iter().cloned().map(Value::Object).collect()));
        } else {
            self.table(rows, none);
        }
    }

    /// A table, for people only.
    pub fn table(self, rows: &[Row], none: &str) {
        if rows.is_empty() {
            return line(none);
        }
        let (table, left_out) = table::of(rows, Reader::of_standard_output());
        line(&table);
        if !left_out.is_empty() {
            eprintln!("Not enough room for: {}. A wider terminal or --json has them.", left_out.join(", "));
        }
    }

    /// One thing: a line for each of its fields in which there is anything, or an object.
    pub fn one(self, row: &Row) {
        if self.json {
            return self.value(&Value::Object(row.clone()));
        }
        let fields = fields(row);
        let width = fields.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, text) in fields {
            line(&format!("{name:width$}  {text}"));
        }
    }

    /// What was done: a sentence, or an object.
    pub fn done(self, sentence: &str, value: Value) {
        if self.json { self.value(&value) } else { line(&crate::text::harmless(sentence)) }
    }

    /// A value for programs, on a line.
    pub fn value(self, value: &Value) {
        line(&ascii(&value.to_string()));
    }

    /// One of many that come one after the other: a line, of text or of JSON. False where nobody reads any more.
    pub fn next(self, text: &str, value: &Value) -> bool {
        let text = if self.json { ascii(&value.to_string()) } else { crate::text::harmless(text).into_owned() };
        let mut out = io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }
}

/// The fields of one thing in which there is anything, as people read them.
pub fn fields(row: &Row) -> Vec<(String, String)> {
    let fields = row.iter().filter(|(_, value)| !value.is_null());
    fields.map(|(name, value)| (shown::heading(name), shown::text(name, value, None))).collect()
}

/// A closed pipe (`pgq jobs | head`) is no reason to complain.
pub fn line(text: &str) {
    writeln!(io::stdout(), "{text}").ok();
}

/// A time as a log has it: to the second, in the zone of this machine.
pub fn time(value: &Value) -> String {
    shown::text("", value, None)
}

/// JSON leaves control characters above U+007F as they are; a terminal may obey them.
pub fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        // DEL is ASCII, and the only one of these that JSON leaves.
        if char.is_ascii() && char != '\x7f' {
            text.push(char);
        } else {
            let mut units = [0; 2];
            char.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_for_programs_says_the_same_in_ascii() {
        let value = json!({ "name": "ü\u{9b}😀\x1b\x7f" });
        let text = ascii(&value.to_string());
        assert!(text.is_ascii() && !text.contains(['\x1b', '\x7f']), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
