//! A list on the screen: what it is, its columns, and as many of its lines as there is room for.

use super::board::MOST;
use super::line::{Line, Sort};
use super::paint::{Paint, Tone};
use super::pane::{Column, Kind, Pane};
use super::state::State;
use crate::text::{short, width};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

const BETWEEN: usize = 2;
/// What stands before each line: which one is chosen.
const MARGIN: usize = 2;
/// To so many columns a text may be shortened.
const LEAST: usize = 10;
/// A worker's name is told from others by its beginning.
const LEAST_OF_TEXT: usize = 9;
/// The oldest due job has been so for longer: somebody should look.
const LATE: f64 = 900.0;

pub fn draw(state: &mut State, pane: Pane, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let (has_keyboard, filter) = (state.pane == pane, state.filter.clone());
    let sort = state.place(pane).sort;
    let Some((lines, place)) = state.list(pane, usize::from(area.height.saturating_sub(2))) else {
        buffer.set_stringn(area.x, area.y, "…", area.width.into(), paint.style(Tone::Quiet));
        return;
    };
    title(pane, &filter, sort, lines.len(), Rect { height: 1, ..area }, buffer, (has_keyboard, paint));
    if lines.is_empty() {
        let nothing = if filter.is_empty() { pane.nothing().to_owned() } else { "Nothing fits the filter.".to_owned() };
        let y = (area.y + 1).min(area.bottom() - 1);
        buffer.set_stringn(area.x, y, format!("  {nothing}"), area.width.into(), paint.style(Tone::Quiet));
        return;
    }
    let fields = fields(pane.columns(), &lines, sort, usize::from(area.width));
    let bottom = area.bottom();
    let row = |y: u16| Rect { y, height: 1, ..area };
    headings(&fields, sort, row(area.y + 1), buffer, paint);
    for (y, (number, line)) in (area.y + 2..bottom).zip(lines.iter().enumerate().skip(place.first)) {
        let is_chosen = has_keyboard && number == place.selected;
        draw_line(line, &fields, row(y), buffer, (is_chosen, paint));
    }
}

/// Its name, and what is left out of it.
fn title(
    pane: Pane,
    filter: &str,
    sort: Option<Sort>,
    count: usize,
    area: Rect,
    buffer: &mut Buffer,
    (has_keyboard, paint): (bool, Paint),
) {
    let tone = if has_keyboard { Tone::Strong } else { Tone::Quiet };
    let mut text = format!("─ {pane} ");
    if count >= MOST && pane != Pane::Entrypoints {
        text.push_str(&format!("(the first {MOST}) "));
    }
    if !filter.is_empty() {
        text.push_str(&format!("with \"{}\" ", short(&crate::text::harmless(filter), 20)));
    }
    if let Some((column, falling)) = sort.and_then(|sort| Some((pane.columns().get(sort.column)?, sort.falling))) {
        text.push_str(&format!("by {} {} ", column.heading, if falling { "▼" } else { "▲" }));
    }
    let rest = usize::from(area.width).saturating_sub(width(&text));
    text.push_str(&"─".repeat(rest));
    buffer.set_stringn(area.x, area.y, text, area.width.into(), paint.style(tone));
}

/// A column on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    /// Its place among all columns.
    place: usize,
    column: Column,
    width: usize,
    least: usize,
}

/// The columns there is room for, and how wide each is.
fn fields(columns: &[Column], lines: &[Line<'_>], sort: Option<Sort>, room: usize) -> Vec<Field> {
    let room = room.saturating_sub(MARGIN);
    let field = |(place, column): (usize, &Column)| {
        let widest = lines.iter().filter_map(|line| line.cells.get(place)).map(|cell| width(&cell.text)).max();
        let widest = widest.unwrap_or(0);
        let mark = usize::from(sort.is_some_and(|sort| sort.column == place));
        let natural = widest.max(width(column.heading) + mark);
        let least = match column.kind {
            Kind::Long => natural.min(LEAST),
            Kind::Text => natural.min(LEAST_OF_TEXT),
            _ => natural,
        };
        let is_empty = widest == 0 && matches!(column.kind, Kind::Text | Kind::Long);
        (!is_empty || place == 0).then_some(Field { place, column: *column, width: natural, least })
    };
    let mut fields: Vec<Field> = columns.iter().enumerate().filter_map(field).collect();
    let total = |fields: &[Field], of: fn(&Field) -> usize| {
        fields.iter().map(|field| of(field) + BETWEEN).sum::<usize>().saturating_sub(BETWEEN)
    };
    while fields.len() > 1 && total(&fields, |field| field.least) > room {
        fields.pop();
    }
    fields.iter_mut().for_each(|field| field.width = field.width.min(room));
    while total(&fields, |field| field.width) > room {
        // What comes later matters less.
        let Some(field) = fields.iter_mut().rev().find(|field| field.width > field.least) else { break };
        field.width -= 1;
    }
    fields
}

fn is_number(column: Column) -> bool {
    !matches!(column.kind, Kind::Text | Kind::Long | Kind::Hour)
}

fn headings(fields: &[Field], sort: Option<Sort>, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let mut x = usize::from(area.x) + MARGIN;
    for field in fields {
        let mark = match sort.filter(|sort| sort.column == field.place) {
            Some(Sort { falling: true, .. }) => "▼",
            Some(_) => "▲",
            None => "",
        };
        let heading = format!("{}{mark}", field.column.heading);
        put(&heading, field, x, area, buffer, paint.style(Tone::Quiet));
        x += field.width + BETWEEN;
    }
}

fn draw_line(line: &Line<'_>, fields: &[Field], area: Rect, buffer: &mut Buffer, (is_chosen, paint): (bool, Paint)) {
    if is_chosen {
        buffer.set_style(area, paint.style(Tone::Chosen));
        buffer.set_stringn(area.x, area.y, ">", 1, paint.style(Tone::Chosen));
    }
    let mut x = usize::from(area.x) + MARGIN;
    for field in fields {
        let text = line.cells.get(field.place).map_or("", |cell| cell.text.as_str());
        let style = if is_chosen { paint.style(Tone::Chosen) } else { paint.style(tone(line, field.column)) };
        put(text, field, x, area, buffer, style);
        x += field.width + BETWEEN;
    }
}

fn put(text: &str, field: &Field, x: usize, area: Rect, buffer: &mut Buffer, style: ratatui::style::Style) {
    let text = short(text, field.width);
    let before = if is_number(field.column) { field.width.saturating_sub(width(&text)) } else { 0 };
    let Ok(x) = u16::try_from(x + before) else { return };
    buffer.set_stringn(x, area.y, &text, area.right().saturating_sub(x).into(), style);
}

/// What makes one look.
fn tone(line: &Line<'_>, column: Column) -> Tone {
    let number = || line.row.get(column.key).and_then(serde_json::Value::as_f64).unwrap_or_default();
    match column.key {
        "failed" | "failed_last_hour" if number() > 0.0 => Tone::Bad,
        "error" => Tone::Bad,
        "note" => Tone::Warn,
        "oldest_seconds" if number() > LATE => Tone::Warn,
        "done_by_minute" => Tone::Done,
        _ => Tone::Plain,
    }
}
