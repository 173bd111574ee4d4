//! What a key does.

use super::action::Action;
use super::pane::Pane;
use super::state::{Mode, State};
use crate::cmd::Context;
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// What is to be done beside a change of the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Draw again.
    Draw,
    /// Another list is shown, or other rows of it.
    Fetch,
    Act(Action),
    Suspend,
    /// Draw all of it again: something else has written on the terminal.
    Clear,
    Quit,
}

/// A longer filter finds nothing that a shorter one does not.
const LONGEST_FILTER: usize = 200;

/// Changes the state as the key says.
pub fn pressed(key: KeyEvent, state: &mut State, context: &Context) -> Step {
    if key.kind == KeyEventKind::Release {
        return Step::Draw;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c' | 'd') => Step::Quit,
            KeyCode::Char('z') => Step::Suspend,
            KeyCode::Char('l') => Step::Clear,
            _ => Step::Draw,
        };
    }
    // Esc and a letter, typed fast, arrive as Alt and the letter: neither was meant for us.
    let code = if key.modifiers.contains(KeyModifiers::ALT) { KeyCode::Esc } else { key.code };
    match state.mode.clone() {
        Mode::List => in_list(code, state, context),
        Mode::Filter => in_filter(code, state),
        Mode::Asks(action) => {
            state.mode = Mode::List;
            match code {
                KeyCode::Char('y' | 'Y') => Step::Act(action),
                _ => {
                    state.message = Some("Nothing was changed.".into());
                    Step::Draw
                }
            }
        }
        Mode::Help | Mode::Detail => over_lists(code, state),
    }
}

/// A text that was pasted is a filter, or nothing: never commands.
pub fn pasted(text: &str, state: &mut State) -> Step {
    if state.mode == Mode::Filter {
        for char in text.trim().chars().take_while(|char| *char != '\n' && *char != '\r') {
            in_filter(KeyCode::Char(char), state);
        }
    }
    Step::Fetch
}

fn in_list(code: KeyCode, state: &mut State, context: &Context) -> Step {
    state.message = None;
    let pane = state.pane;
    let page = state.place(pane).room.max(2).cast_signed() - 1;
    match code {
        KeyCode::Char('q') => return Step::Quit,
        KeyCode::Char(digit @ '1'..='5') => return focus(state, numbered(digit).unwrap_or(pane)),
        KeyCode::Tab | KeyCode::Right => return focus(state, pane.step(1)),
        KeyCode::BackTab | KeyCode::Left => return focus(state, pane.step(-1)),
        KeyCode::Up | KeyCode::Char('k') => state.step(-1),
        KeyCode::Down | KeyCode::Char('j') => state.step(1),
        KeyCode::PageUp => state.step(-page),
        KeyCode::PageDown => state.step(page),
        KeyCode::Home | KeyCode::Char('g') => state.step(isize::MIN),
        KeyCode::End | KeyCode::Char('G') => state.step(isize::MAX),
        KeyCode::Char('s') => state.sort_next(),
        KeyCode::Char('S') => state.sort_other_way(),
        KeyCode::Char('/') => state.mode = Mode::Filter,
        KeyCode::Char('?' | 'h') | KeyCode::F(1) => open(state, Mode::Help),
        KeyCode::Enter if state.selected().is_some() => open(state, Mode::Detail),
        KeyCode::Esc if !state.filter.is_empty() => {
            state.filter.clear();
            return Step::Fetch;
        }
        KeyCode::Char(key) => return act(key, state, context),
        _ => {}
    }
    Step::Draw
}

fn numbered(digit: char) -> Option<Pane> {
    Pane::ALL.get(digit.to_digit(10)?.checked_sub(1)? as usize).copied()
}

fn open(state: &mut State, mode: Mode) {
    (state.mode, state.scroll) = (mode, 0);
}

fn focus(state: &mut State, pane: Pane) -> Step {
    state.pane = pane;
    Step::Fetch
}

/// A key that changes something, if it is one here.
fn act(key: char, state: &mut State, context: &Context) -> Step {
    let pane = state.pane;
    if !pane.keys().iter().any(|(known, _)| *known == key) {
        return Step::Draw;
    }
    let action = state.selected().and_then(|line| Action::of(key, pane, &line, context));
    match (action, state.read_only) {
        (_, true) => state.message = Some("This only looks: it was started with --read-only.".into()),
        (None, false) => {}
        (Some(action), false) if action.question().is_some() => state.mode = Mode::Asks(action),
        (Some(action), false) => return Step::Act(action),
    }
    Step::Draw
}

fn in_filter(code: KeyCode, state: &mut State) -> Step {
    match code {
        KeyCode::Enter => state.mode = Mode::List,
        KeyCode::Esc => {
            state.filter.clear();
            state.mode = Mode::List;
        }
        KeyCode::Backspace => drop(state.filter.pop()),
        KeyCode::Char(char) if state.filter.len() < LONGEST_FILTER => state.filter.push(char),
        _ => return Step::Draw,
    }
    Step::Fetch
}

fn over_lists(code: KeyCode, state: &mut State) -> Step {
    match code {
        KeyCode::Up | KeyCode::Char('k') => state.scroll = state.scroll.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => state.scroll += 1,
        KeyCode::PageUp => state.scroll = state.scroll.saturating_sub(10),
        KeyCode::PageDown | KeyCode::Char(' ') => state.scroll += 10,
        _ => state.mode = Mode::List,
    }
    Step::Draw
}
