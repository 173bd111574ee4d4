//! Charts as SVG, made here: the page needs no script and no style of its own for them. Coordinates are whole numbers of a
//! grid in which a minute is ten wide.

use crate::hour::{Minute, Tally};
use crate::show;
use std::sync::Arc;

/// The height of a chart.
const HEIGHT: i64 = 160;
/// The width of a minute.
const STEP: i64 = 10;
/// Of which so much is a bar.
const BAR: i64 = 8;
/// A bar that is there can be seen.
const LEAST: i64 = 2;

/// A rectangle, standing on the baseline or on another one.
pub struct Rect {
    pub y: i64,
    pub height: i64,
    pub class: &'static str,
}

/// A minute: its bars, and what is said of it.
pub struct Bar {
    pub x: i64,
    pub rects: Vec<Rect>,
    pub label: String,
}

/// Bars by minute.
pub struct Bars {
    pub bars: Vec<Bar>,
    pub most: i64,
    pub width: i64,
    /// What the whole chart says, for those who do not see it.
    pub summary: String,
    /// Whether some minutes have not been counted yet.
    pub partial: bool,
    pub empty: bool,
}

/// How a bar is made of a tally, from the baseline up.
type Part = (&'static str, &'static str, fn(&Tally) -> i64);

const ENDS: [Part; 3] = [
    ("done", "done", |t| t.done),
    ("removed", "canceled or deleted", |t| t.removed),
    ("failed", "failed", |t| t.failed),
];
const FAILURES: [Part; 2] = [("failed", "given up", |t| t.failed), ("again", "tried again", |t| t.again)];

/// The tally of each minute: of one entrypoint, or of all.
pub fn tallies(minutes: &[Option<Arc<Minute>>], entrypoint: Option<&str>) -> Vec<Option<Tally>> {
    let sum = |minute: &Minute| {
        let mut sum = Tally::default();
        let wanted = minute.iter().filter(|(name, _)| entrypoint.is_none_or(|wanted| wanted == *name));
        wanted.for_each(|(_, tally)| sum.add(tally));
        sum
    };
    minutes.iter().map(|minute| minute.as_deref().map(sum)).collect()
}

/// Jobs that ended.
pub fn throughput(tallies: &[Option<Tally>]) -> Bars {
    bars(tallies, &ENDS, |most, sum: &Tally| {
        format!(
            "Jobs ended per minute, last hour: at most {}, in all {} done, {} failed, {} canceled or deleted.",
            show::count(most),
            show::count(sum.done),
            show::count(sum.failed),
            show::count(sum.removed)
        )
    })
}

/// Attempts that failed.
pub fn failures(tallies: &[Option<Tally>]) -> Bars {
    bars(tallies, &FAILURES, |most, sum: &Tally| {
        format!(
            "Failed attempts per minute, last hour: at most {}, in all {} after which the job was given up, {} after which it is tried again.",
            show::count(most),
            show::count(sum.failed),
            show::count(sum.again)
        )
    })
}

fn bars(tallies: &[Option<Tally>], parts: &[Part], summary: impl Fn(i64, &Tally) -> String) -> Bars {
    let height_of = |tally: &Tally| parts.iter().map(|(_, _, of)| of(tally)).sum::<i64>();
    let most = tallies.iter().flatten().map(height_of).max().unwrap_or(0);
    let mut sum = Tally::default();
    tallies.iter().flatten().for_each(|tally| sum.add(tally));
    let minutes = tallies.len() as i64;
    let bar = |(place, tally): (usize, &Option<Tally>)| {
        let ago = minutes - 1 - place as i64;
        let rects = tally.as_ref().map_or(vec![], |tally| stack(tally, parts, most));
        Bar { x: place as i64 * STEP + (STEP - BAR) / 2, rects, label: label(ago, tally.as_ref(), parts) }
    };
    Bars {
        bars: tallies.iter().enumerate().map(bar).collect(),
        most,
        width: minutes * STEP,
        summary: summary(most, &sum),
        partial: tallies.iter().any(Option::is_none),
        empty: most == 0,
    }
}

fn stack(tally: &Tally, parts: &[Part], most: i64) -> Vec<Rect> {
    let mut floor = HEIGHT;
    let mut rects = vec![];
    for (class, _, of) in parts {
        let number = of(tally);
        if number > 0 {
            let height = scaled(number, most).max(LEAST);
            floor = (floor - height).max(0);
            rects.push(Rect { y: floor, height, class });
        }
    }
    rects
}

fn scaled(number: i64, most: i64) -> i64 {
    (number as f64 / most.max(1) as f64 * HEIGHT as f64).round() as i64
}

fn label(ago: i64, tally: Option<&Tally>, parts: &[Part]) -> String {
    let when = if ago == 0 { "this minute".to_owned() } else { format!("{ago} min ago") };
    let Some(tally) = tally else { return format!("{when}: not counted yet") };
    let said: Vec<String> = parts
        .iter()
        .filter(|(_, _, of)| of(tally) > 0)
        .map(|(_, word, of)| format!("{} {word}", show::count(of(tally))))
        .collect();
    format!("{when}: {}", if said.is_empty() { "nothing".to_owned() } else { said.join(", ") })
}

/// A line over the minutes, with a gap where nothing is known.
pub struct Line {
    /// Points of each unbroken piece.
    pub pieces: Vec<String>,
    /// The same, closed along the baseline.
    pub areas: Vec<String>,
    pub width: i64,
    pub height: i64,
}

/// A line of numbers by minute.
pub fn line(values: &[Option<f64>], height: i64) -> Line {
    let most = values.iter().flatten().copied().fold(0.0, f64::max);
    let point = |(place, value): (usize, &Option<f64>)| {
        let value = value.as_ref()?;
        let share = if most > 0.0 { value / most } else { 0.0 };
        let y = (height - 2) as f64 * (1.0 - share) + 1.0;
        Some((place as i64 * STEP, y.round() as i64))
    };
    let points: Vec<_> = values.iter().enumerate().map(point).collect();
    let pieces: Vec<&[Option<(i64, i64)>]> = points.split(Option::is_none).filter(|piece| !piece.is_empty()).collect();
    let text = |piece: &[Option<(i64, i64)>]| {
        let mut points: Vec<String> = piece.iter().flatten().map(|(x, y)| format!("{x},{y}")).collect();
        // One point alone would not be seen.
        points.extend(piece.last().copied().flatten().map(|(x, y)| format!("{},{y}", x + STEP)));
        points.join(" ")
    };
    let area = |piece: &[Option<(i64, i64)>]| {
        let end = |point: Option<&Option<(i64, i64)>>| point.copied().flatten().map_or(0, |(x, _)| x);
        let (first, last) = (end(piece.first()), end(piece.last()) + STEP);
        format!("{first},{height} {} {last},{height}", text(piece))
    };
    Line {
        pieces: pieces.iter().map(|piece| text(piece)).collect(),
        areas: pieces.iter().map(|piece| area(piece)).collect(),
        width: values.len() as i64 * STEP,
        height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_on_each_other() {
        let minute = Tally { done: 75, failed: 25, ..Tally::default() };
        let chart = throughput(&[None, Some(minute), Some(Tally::default())]);
        assert_eq!((chart.most, chart.width, chart.partial, chart.empty), (100, 30, true, false));
        let rects: Vec<_> = chart.bars[1].rects.iter().map(|rect| (rect.y, rect.height, rect.class)).collect();
        assert_eq!(rects, [(40, 120, "done"), (0, 40, "failed")]);
        assert_eq!(chart.bars[1].label, "1 min ago: 75 done, 25 failed");
        assert_eq!(chart.bars[2].label, "this minute: nothing");
        assert_eq!(chart.bars[0].label, "2 min ago: not counted yet");
    }

    #[test]
    fn a_line_breaks_where_nothing_is_known() {
        let chart = line(&[Some(0.0), Some(10.0), None, Some(5.0)], 42);
        assert_eq!(chart.pieces, ["0,41 10,1 20,1", "30,21 40,21"]);
        assert_eq!(chart.areas[1], "30,42 30,21 40,21 40,42");
        assert!(line(&[None, None], 42).pieces.is_empty());
    }
}
