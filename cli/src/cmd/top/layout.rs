//! What goes where, in terminals of any size.

use super::pane::Pane;
use ratatui::layout::{Constraint, Layout, Rect};

/// In less than that nothing can be read.
pub const LEAST: (u16, u16) = (30, 6);
/// From this size on all lists are shown side by side.
const WIDE: (u16, u16) = (150, 36);
/// From so many lines on there is room for the graph beside a list.
const WITH_GRAPH: u16 = 16;

/// The parts of the screen.
#[derive(Debug, Clone)]
pub struct Parts {
    pub head: Rect,
    pub tabs: Rect,
    pub graph: Option<Rect>,
    pub lists: Vec<(Pane, Rect)>,
    pub foot: Rect,
}

/// None where the terminal is too small.
pub fn parts(area: Rect, pane: Pane) -> Option<Parts> {
    if area.width < LEAST.0 || area.height < LEAST.1 {
        return None;
    }
    let is_wide = area.width >= WIDE.0 && area.height >= WIDE.1;
    let graph = match area.height {
        height if is_wide => height / 4,
        height @ WITH_GRAPH.. if pane == Pane::Entrypoints => (height / 3).min(14),
        _ => 0,
    };
    let [head, tabs, above, below, foot] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(1),
        Constraint::Length(graph),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    let lists = if is_wide { side_by_side(below) } else { vec![(pane, below)] };
    Some(Parts { head, tabs, graph: (graph > 0).then_some(above), lists, foot })
}

/// The lists of which the rows are shown.
pub fn shown(area: Rect, pane: Pane) -> Vec<Pane> {
    parts(area, pane).map_or(vec![pane], |parts| parts.lists.into_iter().map(|(pane, _)| pane).collect())
}

fn side_by_side(area: Rect) -> Vec<(Pane, Rect)> {
    let [first, second, third] =
        Layout::vertical([Constraint::Fill(2), Constraint::Fill(2), Constraint::Fill(1)]).areas(area);
    let halves = |area| Layout::horizontal([Constraint::Fill(1); 2]).spacing(2).areas::<2>(area);
    let ([entrypoints, failed], [in_flight, workers]) = (halves(first), halves(second));
    vec![
        (Pane::Entrypoints, entrypoints),
        (Pane::InFlight, in_flight),
        (Pane::Failed, failed),
        (Pane::Workers, workers),
        (Pane::Schedules, third),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_lies_outside_whatever_the_size() {
        for width in 0..220 {
            for height in 0..70 {
                let area = Rect::new(0, 0, width, height);
                for pane in Pane::ALL {
                    let Some(parts) = parts(area, pane) else { continue };
                    let lists = parts.lists.iter().map(|(_, rect)| *rect);
                    let all = lists.chain([parts.head, parts.tabs, parts.foot]).chain(parts.graph);
                    assert!(all.into_iter().all(|part| area.intersection(part) == part), "{width}x{height} {pane}");
                    assert!(parts.lists.iter().any(|(shown, rect)| *shown == pane && rect.height > 0));
                }
            }
        }
    }
}
