//! Tables for people, JSON for programs.

use crate::text::{harmless, short};
use chrono::{DateTime, Local};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Map, Value};
use std::io::{self, Write};
use std::process::ExitCode;

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

/// The widest text in a table.
const WIDEST: usize = 80;

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
        } else if rows.is_empty() {
            line(none);
        } else {
            line(&table(rows));
        }
    }

    /// One thing: a line for each of its fields, or an object.
    pub fn one(self, row: &Row) {
        if self.json {
            return self.value(&Value::Object(row.clone()));
        }
        let width = row.keys().map(String::len).max().unwrap_or(0);
        for (name, value) in row {
            line(&format!("{name:width$}  {}", shown(value)));
        }
    }

    /// What was done: a sentence, or an object.
    pub fn done(self, sentence: &str, value: Value) {
        if self.json { self.value(&value) } else { line(sentence) }
    }

    fn value(self, value: &Value) {
        line(&ascii(&value.to_string()));
    }
}

/// A table of the columns in which there is anything.
fn table(rows: &[Row]) -> String {
    let full = |name: &&String| rows.iter().any(|row| row.get(*name).is_some_and(|value| !value.is_null()));
    let names: Vec<&String> = rows.first().into_iter().flat_map(Row::keys).filter(full).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(&names);
    for row in rows {
        table.add_row(names.iter().map(|name| row.get(*name).map_or_else(String::new, cell)));
    }
    let numbers =
        |name: &String| rows.iter().all(|row| row.get(name).is_none_or(|value| value.is_number() || value.is_null()));
    for (column, name) in table.column_iter_mut().zip(&names) {
        if numbers(name) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// A closed pipe (`pgq jobs | head`) is no reason to complain.
pub fn line(text: &str) {
    writeln!(io::stdout(), "{text}").ok();
}

fn cell(value: &Value) -> String {
    short(&shown(value), WIDEST).into_owned()
}

/// A value as people read it: times in their zone, to the second.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => match DateTime::parse_from_rfc3339(text) {
            Ok(time) if text.len() >= 20 => time.with_timezone(&Local).format("%Y-%m-%d %H:%M:%S").to_string(),
            _ => harmless(text).into_owned(),
        },
        other => harmless(&other.to_string()).into_owned(),
    }
}

/// JSON leaves control characters above U+007F as they are; a terminal may obey them.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
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
        let value = json!({ "name": "ü\u{9b}😀\x1b" });
        let text = ascii(&value.to_string());
        assert!(text.is_ascii() && !text.contains('\x1b'), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }

    #[test]
    fn a_text_that_is_no_time_stays() {
        assert_eq!(shown(&json!("2026-01-01")), "2026-01-01");
        assert_eq!(shown(&json!(null)), "");
        assert_eq!(shown(&json!([1, "\x1b"])), r#"[1,"\u001b"]"#);
    }
}
