//! The screen.

use super::graph;
use super::layout::{LEAST, Parts, parts};
use super::line::bounded;
use super::list;
use super::over;
use super::paint::{Paint, Tone};
use super::pane::Pane;
use super::state::{Mode, State};
use crate::output::{count, grouped, length};
use crate::text::{harmless, short, width};
use chrono::Local;
use pgqueuer_web::look::{Bounds, Entrypoint, Seen};
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// What does not change while it is shown.
#[derive(Debug)]
pub struct About {
    /// Which queue it is.
    pub title: String,
    pub paint: Paint,
}

pub fn draw(frame: &mut Frame<'_>, state: &mut State, about: &About) {
    let area = frame.area();
    let buffer = frame.buffer_mut();
    let paint = about.paint;
    let Some(Parts { head, tabs, graph: chart, lists, foot }) = parts(area, state.pane) else {
        return too_small(area, buffer);
    };
    draw_head(state, about, head, buffer);
    draw_tabs(state, tabs, buffer, paint);
    if let Some(area) = chart {
        let passed = state.board.seen.at.timestamp().rem_euclid(60);
        graph::draw(&state.board.tallies(), passed, area, buffer, paint);
    }
    for (pane, area) in lists {
        list::draw(state, pane, area, buffer, paint);
    }
    draw_foot(state, foot, buffer, paint);
    let below = Rect { height: area.height - 1, ..area };
    match state.mode.clone() {
        Mode::List => {}
        Mode::Filter => {
            let x = (foot.x + 1).saturating_add(u16::try_from(width(&harmless(&state.filter))).unwrap_or(u16::MAX));
            frame.set_cursor_position((x.min(foot.right() - 1), foot.y));
        }
        Mode::Asks(action) => over::question(&action, below, buffer, paint),
        Mode::Help => over::help(state, below, buffer, paint),
        Mode::Detail => over::detail(state, below, buffer, paint),
    }
}

fn too_small(area: Rect, buffer: &mut Buffer) {
    let (columns, lines) = LEAST;
    let text = format!("pgq top needs {columns} columns and {lines} lines");
    let mut words = text.split(' ').peekable();
    // As many words a line as fit.
    for y in area.top()..area.bottom() {
        let mut line = String::new();
        while let Some(word) = words.next_if(|word| line.is_empty() || line.len() + 1 + word.len() <= area.width.into())
        {
            line = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        }
        buffer.set_stringn(area.x, y, line, area.width.into(), Style::new());
    }
}

/// Which queue, how it is, and when; or since when nothing is known.
fn draw_head(state: &State, about: &About, area: Rect, buffer: &mut Buffer) {
    let paint = about.paint;
    let room = usize::from(area.width);
    let title = format!("pgq top {}", short(&about.title, (room / 4).max(12)));
    let seen = &state.board.seen;
    let clock = seen.at.with_timezone(&Local).format(" %H:%M:%S").to_string();
    let (mut x, y) = buffer.set_stringn(area.x, area.y, &title, room, paint.style(Tone::Strong));
    if let Some(away) = &state.away {
        let since = length(away.since.elapsed().as_secs_f64().round());
        let text = format!("  {}, for {since}: trying again ", away.title);
        buffer.set_stringn(x, y, text, area.right().saturating_sub(x).into(), paint.style(Tone::Chosen));
        return;
    }
    let end = area.right().saturating_sub(u16::try_from(width(&clock)).unwrap_or(0));
    for (text, tone) in summary(seen) {
        let left = usize::from(end.saturating_sub(x));
        if width(&text) + 3 <= left {
            (x, _) = buffer.set_stringn(x, y, " · ", left, paint.style(Tone::Quiet));
            (x, _) = buffer.set_stringn(x, y, text, left, paint.style(tone));
        }
    }
    buffer.set_stringn(end, y, clock, room, paint.style(Tone::Quiet));
}

/// The queue in a few words, what matters most first.
fn summary(seen: &Seen) -> Vec<(String, Tone)> {
    let (figures, total) = (&seen.figures, seen.figures.total());
    let sum = |number: i64, of: fn(&Entrypoint) -> i64, bound: fn(&Bounds) -> i64| {
        let is_more = figures.beyond(of, bound(&figures.bounds));
        bounded(number, if is_more { number } else { 0 })
    };
    let mut words = vec![];
    if !figures.preloaded {
        words.push(("library not preloaded: nothing is handed out".to_owned(), Tone::Chosen));
    }
    words.push((format!("{} waiting", sum(total.due, |one| one.due, |bounds| bounds.due)), Tone::Plain));
    words.push((format!("{} in flight", grouped(total.in_flight)), Tone::Plain));
    let failed = sum(total.held, |one| one.held, |bounds| bounds.held);
    words.push((format!("{failed} failed"), if total.held > 0 { Tone::Bad } else { Tone::Plain }));
    words.push((count(figures.workers, "worker"), Tone::Plain));
    if !seen.ills.is_empty() {
        let ills = i64::try_from(seen.ills.len()).unwrap_or(i64::MAX);
        words.push((format!("{}: pgq health", count(ills, "problem")), Tone::Warn));
    }
    if figures.standby {
        words.push(("standby".to_owned(), Tone::Warn));
    }
    if total.oldest > 0.0 {
        words.push((format!("oldest {}", length(total.oldest)), Tone::Plain));
    }
    words.push((format!("{} later", sum(total.deferred, |one| one.deferred, |bounds| bounds.deferred)), Tone::Quiet));
    words.push((format!("{} waiting for jobs", count(figures.waiting, "session")), Tone::Quiet));
    words
}

/// The lists, by their keys. Where there is little room only the one that is shown has a name.
fn draw_tabs(state: &State, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let name = |number: usize, pane: Pane| format!(" {} {pane} ", number + 1);
    let all: usize = Pane::ALL.iter().enumerate().map(|(number, pane)| name(number, *pane).len() + 1).sum();
    let mut x = area.x;
    for (number, pane) in Pane::ALL.into_iter().enumerate() {
        let is_shown = pane == state.pane;
        let text =
            if is_shown || all <= usize::from(area.width) { name(number, pane) } else { format!(" {} ", number + 1) };
        let tone = if is_shown { Tone::Chosen } else { Tone::Plain };
        (x, _) = buffer.set_stringn(x, area.y, text, area.right().saturating_sub(x).into(), paint.style(tone));
        x = x.saturating_add(1);
    }
}

/// What was done, what is typed, or what can be done.
fn draw_foot(state: &State, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let room = usize::from(area.width);
    if state.mode == Mode::Filter {
        let text = format!("/{}", harmless(&state.filter));
        let (x, y) = buffer.set_stringn(area.x, area.y, text, room, paint.style(Tone::Strong));
        let left = area.right().saturating_sub(x).into();
        buffer.set_stringn(x, y, "   Enter keeps it, Esc clears it", left, paint.style(Tone::Quiet));
    } else if let Some(message) = &state.message {
        buffer.set_stringn(area.x, area.y, short(message, room), room, paint.style(Tone::Strong));
    } else {
        let mut keys = vec!["? help".to_owned(), "q quit".to_owned()];
        if !state.read_only {
            keys.extend(state.pane.keys().iter().map(|(key, does)| format!("{key} {does}")));
        }
        keys.extend(["/ filter", "s sort", "Enter all of it", "Tab next list"].map(str::to_owned));
        let mut text = String::new();
        for key in keys {
            if width(&text) + 2 + width(&key) <= room {
                text = if text.is_empty() { key } else { format!("{text}  {key}") };
            }
        }
        buffer.set_stringn(area.x, area.y, text, room, paint.style(Tone::Quiet));
    }
}
