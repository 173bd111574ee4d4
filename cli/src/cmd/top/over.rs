//! What stands over the lists: a question, the page of help, all of one row.

use super::action::Action;
use super::paint::{Paint, Tone};
use super::pane::Pane;
use super::state::State;
use crate::output::fields;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Block, Clear, Paragraph, Widget, Wrap};

/// A box is no wider: long lines are hard to read.
const WIDEST: u16 = 90;

pub fn question(action: &Action, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let question = action.question().unwrap_or_default();
    let lines =
        vec![Line::styled(question, paint.style(Tone::Strong)), Line::from("y does it, any other key does not.")];
    let mut scroll = 0;
    draw_box(" Sure? ", lines, &mut scroll, area, buffer);
}

pub fn help(state: &mut State, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let strong = paint.style(Tone::Strong);
    let key = |key: &str, does: &str| Line::from(format!("  {key:<14} {does}"));
    let mut lines = vec![
        Line::styled("Move", strong),
        key("1 2 3 4 5", "a list; Tab and the arrows go to the next one"),
        key("↑ ↓ j k", "a line; also Page Up, Page Down, Home, End"),
        key("Enter", "all that is known of a line"),
        key("/", "only lines with this in a name; Esc: all"),
        key("s  S", "sort by the next column; the other way round"),
        key("Ctrl-L", "draw all of it again"),
        key("q  Ctrl-C", "end. Ctrl-Z puts it aside, fg brings it back"),
        Line::default(),
        Line::styled(if state.read_only { "Change: not with --read-only" } else { "Change" }, strong),
    ];
    for pane in Pane::ALL {
        lines.extend(pane.keys().iter().map(|(char, does)| key(&char.to_string(), &format!("{does} ({pane})"))));
    }
    lines.extend(
        [
            "",
            "What starts or ends a job is asked for first.",
            "",
            "removed: canceled or deleted. waiting: can be taken by a worker now. later: its time is still to come. in flight: a worker is at it, of how \
             many at one time. failed: given up, and held until somebody decides. oldest: for how long the first one has \
             waited. A number with + was counted no further.",
        ]
        .map(Line::from),
    );
    draw_box(" Help ", lines, &mut state.scroll, area, buffer);
}

/// Every field of the selected row.
pub fn detail(state: &mut State, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let title = format!(" {} ", state.pane);
    let Some(selected) = state.selected() else { return };
    let shown: Vec<(String, String)> =
        fields(selected.row).into_iter().filter(|(name, _)| name != "done_by_minute" && name != "full_name").collect();
    let widest = shown.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, text): &(String, String)| {
        Line::from(vec![Span::styled(format!("{name:widest$}  "), paint.style(Tone::Quiet)), Span::raw(text.clone())])
    };
    let lines: Vec<Line<'_>> = shown.iter().map(line).collect();
    draw_box(&title, lines, &mut state.scroll, area, buffer);
}

/// A box in the middle, as high as its lines; the rest is scrolled to.
fn draw_box(title: &str, lines: Vec<Line<'_>>, scroll: &mut usize, area: Rect, buffer: &mut Buffer) {
    let width = area.width.min(WIDEST);
    let text = Paragraph::new(Text::from(lines)).wrap(Wrap { trim: false });
    let inner = usize::from(width.saturating_sub(4)).max(1);
    let height = wrapped(&text, inner);
    let high = u16::try_from(height + 2).unwrap_or(u16::MAX).min(area.height);
    let room = usize::from(high.saturating_sub(2));
    *scroll = (*scroll).min(height.saturating_sub(room));
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - high) / 2, width, height: high };
    let more = if height > room + *scroll { " ↓ more " } else { " any other key closes it " };
    let block =
        Block::bordered().title(title.to_owned()).title_bottom(more).padding(ratatui::widgets::Padding::horizontal(1));
    Clear.render(place, buffer);
    let offset = u16::try_from(*scroll).unwrap_or(u16::MAX);
    text.scroll((offset, 0)).block(block).render(place, buffer);
}

/// How many lines it takes: as it is drawn, on a page that is long enough for everything.
fn wrapped(text: &Paragraph<'_>, width: usize) -> usize {
    const LONGEST: u16 = 400;
    let page = Rect::new(0, 0, u16::try_from(width).unwrap_or(WIDEST), LONGEST);
    let mut buffer = Buffer::empty(page);
    text.clone().render(page, &mut buffer);
    let is_used = |y: &u16| (0..page.width).any(|x| buffer.cell((x, *y)).is_some_and(|cell| cell.symbol() != " "));
    (0..LONGEST).rev().find(is_used).map_or(0, |last| usize::from(last) + 1)
}
