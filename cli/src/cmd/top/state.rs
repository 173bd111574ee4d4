//! What the viewer has chosen, and what is shown of it.

use super::action::Action;
use super::board::Board;
use super::line::{Line, Sort, lines};
use super::pane::Pane;
use std::collections::BTreeMap;
use std::time::Instant;

/// What has the keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mode {
    List,
    /// The filter is typed.
    Filter,
    /// A question stands there.
    Asks(Action),
    Help,
    /// All of one row.
    Detail,
}

/// Where a list stands.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub selected: usize,
    /// The selected row stays selected when others come before it.
    identity: Option<String>,
    /// The first line that is shown.
    pub first: usize,
    pub sort: Option<Sort>,
    /// How many lines there is room for.
    pub room: usize,
}

/// Since when, and why, there is nothing new.
#[derive(Debug, Clone)]
pub struct Away {
    pub since: Instant,
    pub title: String,
}

#[derive(Debug)]
pub struct State {
    pub board: Board,
    pub away: Option<Away>,
    pub pane: Pane,
    pub mode: Mode,
    pub filter: String,
    /// What came of the last action.
    pub message: Option<String>,
    pub read_only: bool,
    /// How far the text above the lists is scrolled.
    pub scroll: usize,
    places: BTreeMap<Pane, Place>,
}

impl State {
    pub fn new(board: Board, read_only: bool) -> Self {
        Self {
            board,
            away: None,
            pane: Pane::Entrypoints,
            mode: Mode::List,
            filter: String::new(),
            message: None,
            read_only,
            scroll: 0,
            places: BTreeMap::new(),
        }
    }

    pub fn place(&mut self, pane: Pane) -> &mut Place {
        self.places.entry(pane).or_default()
    }

    /// The lines of a list, where it stands, and which of them is selected; none before they have been fetched.
    pub fn list(&mut self, pane: Pane, room: usize) -> Option<(Vec<Line<'_>>, &Place)> {
        let place = self.places.entry(pane).or_default();
        let lines = lines(&self.board, pane, &self.filter, place.sort)?;
        place.room = room;
        place.settle(&lines);
        Some((lines, place))
    }

    /// The selected line of the list that has the keyboard.
    pub fn selected(&mut self) -> Option<Line<'_>> {
        let room = self.place(self.pane).room;
        let pane = self.pane;
        let (mut lines, place) = self.list(pane, room)?;
        let selected = place.selected;
        (selected < lines.len()).then(|| lines.swap_remove(selected))
    }

    /// Moves the selection so many lines, as far as there are lines.
    pub fn step(&mut self, by: isize) {
        let pane = self.pane;
        let room = self.place(pane).room;
        let Some((lines, place)) = self.list(pane, room) else { return };
        let to = place.selected.saturating_add_signed(by).min(lines.len().saturating_sub(1));
        let identity = lines.get(to).map(|line| line.identity.clone());
        let place = self.place(pane);
        (place.selected, place.identity) = (to, identity);
    }

    /// Sorts the list by its next column: first the usual order, then each column.
    pub fn sort_next(&mut self) {
        let pane = self.pane;
        let place = self.place(pane);
        let next = place.sort.map_or(0, |sort| sort.column + 1);
        let last = pane.columns().len();
        place.sort = (next < last).then_some(Sort { column: next, falling: false });
    }

    /// Turns its order.
    pub fn sort_other_way(&mut self) {
        let pane = self.pane;
        if let Some(sort) = &mut self.place(pane).sort {
            sort.falling = !sort.falling;
        }
    }
}

impl Place {
    /// Finds the selected row where it is now, and keeps it in sight.
    fn settle(&mut self, lines: &[Line<'_>]) {
        let found =
            self.identity.as_ref().and_then(|identity| lines.iter().position(|line| line.identity == *identity));
        self.selected = found.unwrap_or(self.selected).min(lines.len().saturating_sub(1));
        // From now on it is this one: a key means the row that was seen.
        self.identity = lines.get(self.selected).map(|line| line.identity.clone());
        let last_first = lines.len().saturating_sub(self.room);
        let lowest = (self.selected + 1).saturating_sub(self.room);
        self.first = self.first.clamp(lowest.min(self.selected), self.selected).min(last_first);
    }
}
