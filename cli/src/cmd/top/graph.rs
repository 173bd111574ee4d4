//! What ended in each minute of the last hour, as bars. Each outcome has a character of its own, so that nobody needs colours
//! to tell them apart.

use super::paint::{Paint, Tone};
use crate::output::grouped;
use pgqueuer_web::look::Tally;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// An outcome: its character, what it means, its word, its number.
type Part = (char, Tone, &'static str, fn(&Tally) -> i64);

/// From the baseline up.
const PARTS: [Part; 3] = [
    ('█', Tone::Done, "done", |tally| tally.done),
    ('░', Tone::Removed, "removed", |tally| tally.removed),
    ('▓', Tone::Bad, "failed", |tally| tally.failed),
];
/// Failed jobs that are fewer than a character stands for: they can be seen all the same.
const FEW: char = 'x';
/// The upper end of a bar of jobs that were done.
const EIGHTHS: [char; 7] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇'];
/// What stands at the left of the bars.
const SCALE: u16 = 8;

/// Draws the minutes, the oldest first, the newest at the right; as many as there is room for. Of the newest `passed` seconds
/// are over.
pub fn draw(minutes: &[Option<Tally>], passed: i64, area: Rect, buffer: &mut Buffer, paint: Paint) {
    if area.height < 3 || area.width <= SCALE {
        return;
    }
    legend(minutes, passed, area, buffer, paint);
    let bars = Rect { x: area.x + SCALE, y: area.y + 1, width: area.width - SCALE, height: area.height - 2 };
    let count = u16::try_from(minutes.len()).unwrap_or(60).min(bars.width).max(1);
    // Where there is room, a minute is several columns wide: some one more than others, so that all of it is used.
    let begin = |place: u16| u16::try_from(u32::from(place) * u32::from(bars.width) / u32::from(count)).unwrap_or(0);
    let gap = u16::from(bars.width / count > 2);
    let shown = minutes.get(minutes.len().saturating_sub(count.into())..).unwrap_or_default();
    let most = shown.iter().flatten().map(Tally::jobs).max().unwrap_or(0);
    for (place, minute) in (0..).zip(shown) {
        for x in begin(place)..begin(place + 1) - gap {
            column(minute.as_ref(), most, Rect { x: bars.x + x, width: 1, ..bars }, buffer, paint);
        }
    }
    let quiet = paint.style(Tone::Quiet);
    buffer.set_stringn(area.x, bars.y, format!("{:>6} ┤", grouped(most)), SCALE.into(), quiet);
    let floor = area.bottom() - 1;
    let from = format!("{count} min ago");
    buffer.set_stringn(area.x, floor, "     0 └", SCALE.into(), quiet);
    buffer.set_stringn(bars.x, floor, "─".repeat(bars.width.into()), bars.width.into(), quiet);
    buffer.set_stringn(bars.x, floor, from, bars.width.into(), quiet);
    let end = bars.right().saturating_sub(4);
    buffer.set_stringn(end, floor, " now", 4, quiet);
}

/// What the characters mean, and how much there is of each.
fn legend(minutes: &[Option<Tally>], passed: i64, area: Rect, buffer: &mut Buffer, paint: Paint) {
    // This minute and the last one.
    let recent: i64 = minutes.iter().rev().take(2).flatten().map(Tally::jobs).sum();
    let per_second = recent as f64 / (60 + passed) as f64;
    let mut hour = Tally::default();
    minutes.iter().flatten().for_each(|minute| hour.add(minute));
    let rate = format!("{} jobs/min ({per_second:.1}/s)", grouped((per_second * 60.0).round() as i64));
    let end = area.right();
    let room = |x: u16| usize::from(end.saturating_sub(x));
    let (mut x, _) = buffer.set_stringn(area.x, area.y, rate, room(area.x), paint.style(Tone::Strong));
    (x, _) = buffer.set_stringn(x, area.y, "  last hour:", room(x), paint.style(Tone::Quiet));
    for (char, tone, word, of) in PARTS {
        let few = if tone == Tone::Bad { "x" } else { "" };
        (x, _) = buffer.set_stringn(x, area.y, format!(" {char}{few}"), room(x), paint.style(tone));
        (x, _) =
            buffer.set_stringn(x, area.y, format!(" {} {word}", grouped(of(&hour))), room(x), paint.style(Tone::Plain));
    }
    if minutes.iter().any(Option::is_none) {
        buffer.set_stringn(x, area.y, "  (… the log is being read)", room(x), paint.style(Tone::Quiet));
    }
}

/// The bar of a minute, one column wide.
fn column(minute: Option<&Tally>, most: i64, area: Rect, buffer: &mut Buffer, paint: Paint) {
    let mut put = |height: u16, char: char, tone: Tone| {
        if height < area.height
            && let Some(cell) = buffer.cell_mut((area.x, area.bottom() - 1 - height))
        {
            cell.set_char(char).set_style(paint.style(tone));
        }
    };
    let Some(minute) = minute else { return put(0, '…', Tone::Quiet) };
    let room = i64::from(area.height);
    let mut floor = 0_u16;
    for (char, tone, _, of) in PARTS {
        let eighths = of(minute) * room * 8 / most.max(1);
        let (whole, rest) = match (of(minute), tone) {
            (0, _) => continue,
            (_, Tone::Done) => (eighths / 8, (eighths % 8).max(i64::from(eighths == 0))),
            (_, Tone::Bad) if eighths < 4 => {
                put(floor, FEW, tone);
                continue;
            }
            _ => ((eighths + 4) / 8, 0),
        };
        for _ in 0..whole {
            put(floor, char, tone);
            floor += 1;
        }
        if let Some(end) = usize::try_from(rest - 1).ok().and_then(|rest| EIGHTHS.get(rest)) {
            put(floor, *end, tone);
            floor += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(minutes: &[Option<Tally>], width: u16, height: u16) -> Vec<String> {
        let area = Rect::new(0, 0, width, height);
        let mut buffer = Buffer::empty(area);
        draw(minutes, 30, area, &mut buffer, Paint::plain());
        let line = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(line).collect()
    }

    #[test]
    fn each_outcome_has_a_character_of_its_own() {
        let minute = Tally { done: 4, failed: 2, removed: 2, again: 9 };
        let lines = drawn(&[None, Some(minute), Some(Tally { done: 1, ..Tally::default() })], 40, 6);
        let column =
            |x: usize| lines.iter().skip(1).take(4).map(|line| line.chars().nth(x).unwrap()).collect::<String>();
        // Three minutes share 32 columns: ten or eleven for each, of which one is a gap.
        assert_eq!((column(8), column(18), column(29)), ("   …".into(), "▓░██".into(), "   ▄".into()));
        // Nine in a minute and a half.
        assert!(lines[0].contains("6 jobs/min (0.1/s)"), "{}", lines[0]);
    }

    #[test]
    fn no_size_is_too_small() {
        let hour = vec![Some(Tally { done: i64::MAX / 1000, failed: 1, removed: 1, again: 0 }); 60];
        for width in 0..90 {
            for height in 0..12 {
                drawn(&hour, width, height);
            }
        }
    }
}
