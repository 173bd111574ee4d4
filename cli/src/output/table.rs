//! Rows under one another.
//!
//! A column in which there is nothing is left out. On a terminal a row has one line: the widest texts are shortened until it
//! fits, though not so far that they tell nothing. Where that is not enough the last columns go.

use super::{Reader, Row, shown};
use crate::text::{short, width};
use serde_json::Value;

/// To so many columns a text may be shortened.
const LEAST: usize = 20;
/// The beginning of a uuid is told from others by less.
const LEAST_OF_UUID: usize = 9;
const BETWEEN: usize = 2;

struct Column {
    heading: String,
    cells: Vec<String>,
    width: usize,
    /// Numbers stand at the right.
    right: bool,
    /// How narrow it may become: half a number or half a time would be another one.
    least: usize,
}

/// The table, and the headings of columns for which there is no room.
pub fn of(rows: &[Row], reader: Reader) -> (String, Vec<String>) {
    let names = rows.first().into_iter().flat_map(Row::keys);
    let columns = names.map(|name| column(name, rows, reader));
    let mut columns: Vec<Column> = columns.filter(|column| column.cells.iter().any(|cell| !cell.is_empty())).collect();
    let left_out = reader.width.map_or(vec![], |width| fit(&mut columns, width));
    let headings: Vec<&str> = columns.iter().map(|column| column.heading.as_str()).collect();
    let mut lines = vec![line_of(&columns, &headings)];
    for place in 0..rows.len() {
        let cells: Vec<&str> = columns.iter().filter_map(|column| Some(column.cells.get(place)?.as_str())).collect();
        lines.push(line_of(&columns, &cells));
    }
    (lines.join("\n"), left_out)
}

fn column(name: &str, rows: &[Row], reader: Reader) -> Column {
    let values = || rows.iter().filter_map(|row| row.get(name)).filter(|value| !value.is_null());
    let cells: Vec<String> = rows
        .iter()
        .map(|row| row.get(name).map_or_else(String::new, |value| shown::text(name, value, reader.now)))
        .collect();
    let heading = shown::heading(name);
    let widest = cells.iter().map(|cell| width(cell)).max().unwrap_or(0);
    let natural = widest.max(width(&heading));
    let is_text = |value: &Value| value.as_str().is_some_and(|text| shown::time_of(text).is_none());
    let shrinks = values().any(|value| is_text(value) || value.is_array() || value.is_object());
    let least = match shrinks {
        true if values().all(is_uuid) => LEAST_OF_UUID,
        true => LEAST,
        false => natural,
    };
    Column { width: natural, right: values().all(Value::is_number), least: least.min(natural), heading, cells }
}

fn is_uuid(value: &Value) -> bool {
    let dashes =
        |text: &str| text.char_indices().filter(|(_, char)| *char == '-').map(|(place, _)| place).eq([8, 13, 18, 23]);
    value.as_str().is_some_and(|text| text.len() == 36 && dashes(text))
}

/// Makes the columns as narrow as it takes, and returns the headings of those that had to go.
fn fit(columns: &mut Vec<Column>, room: usize) -> Vec<String> {
    let mut left_out = vec![];
    while columns.len() > 1 && total(columns, |column| column.least) > room {
        left_out.extend(columns.pop().map(|column| column.heading));
    }
    left_out.reverse();
    if let [only] = columns.as_mut_slice() {
        only.least = only.least.min(room).max(1);
    }
    // No text is longer than this for the loop below, however long it is.
    columns.iter_mut().for_each(|column| column.width = column.width.min(room.max(column.least)));
    while total(columns, |column| column.width) > room {
        let shrinkable = columns.iter_mut().filter(|column| column.width > column.least);
        let Some(widest) = shrinkable.max_by_key(|column| column.width) else { break };
        widest.width -= 1;
    }
    left_out
}

fn total(columns: &[Column], of: impl Fn(&Column) -> usize) -> usize {
    columns.iter().map(|column| of(column) + BETWEEN).sum::<usize>().saturating_sub(BETWEEN)
}

fn line_of(columns: &[Column], cells: &[&str]) -> String {
    let mut line = String::new();
    for (column, cell) in columns.iter().zip(cells) {
        let cell = short(cell, column.width);
        let padding = " ".repeat(column.width.saturating_sub(width(&cell)));
        let (before, after) = if column.right { (padding.as_str(), "") } else { ("", padding.as_str()) };
        line.push_str(&format!("{before}{cell}{after}  "));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows(values: &[Value]) -> Vec<Row> {
        values.iter().map(|value| value.as_object().unwrap().clone()).collect()
    }

    fn table(values: &[Value], width: Option<usize>) -> String {
        of(&rows(values), Reader { width, now: None }).0
    }

    #[test]
    fn empty_columns_go_and_numbers_stand_at_the_right() {
        let rows = [json!({ "id": 7, "none": null, "name": "a" }), json!({ "id": 123, "none": null, "name": "bb" })];
        assert_eq!(table(&rows, None), " id  name\n  7  a\n123  bb");
    }

    #[test]
    fn the_widest_text_is_shortened_until_the_table_fits_the_terminal() {
        let long = "x".repeat(300);
        let uuid = "7f1a3c9e-5b0d-4a55-9f63-1f2b6f0c4d11";
        let row = json!({ "id": 1, "payload": long, "key": "0123456789", "bytes": 300, "worker": uuid });
        let table = table(std::slice::from_ref(&row), Some(60));
        assert!(table.lines().all(|line| width(line) <= 60), "{table}");
        assert!(table.contains("0123456789") && table.contains("x…") && table.contains("7f1a3c9e"), "{table}");
        assert!(super::of(&rows(&[row]), Reader { width: None, now: None }).0.contains(&long), "a file gets all of it");
    }

    #[test]
    fn wide_characters_count_as_two() {
        let text = "漢".repeat(40);
        let table = table(&[json!({ "a": text, "b": 1 })], Some(30));
        assert!(table.lines().all(|line| width(line) <= 30), "{table}");
    }

    #[test]
    fn where_nothing_can_be_shortened_the_last_columns_go() {
        let row = json!({ "first": 123_456_789, "second": 123_456_789, "third": 123_456_789 });
        let (table, left_out) = of(&rows(&[row]), Reader { width: Some(20), now: None });
        assert_eq!(left_out, ["third"]);
        assert!(table.contains("second") && !table.contains("third"));
        let row = json!({ "id": 1, "first": "x".repeat(50), "second": "y".repeat(50) });
        let (table, left_out) = of(&rows(&[row]), Reader { width: Some(40), now: None });
        assert_eq!(left_out, ["second"], "a text that is too short tells nothing");
        assert!(table.lines().all(|line| width(line) <= 40) && table.contains(&"x".repeat(35)), "{table}");
    }
}
