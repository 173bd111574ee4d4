//! Colours where the terminal has them, and what stands in for them where it has not: everything can be read without.

use ratatui::style::{Color, Modifier, Style};
use std::env;

/// What something means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Plain,
    /// What stands above or beside the thing itself.
    Quiet,
    Strong,
    Done,
    Removed,
    Bad,
    Warn,
    /// Under the keyboard, or said loudly.
    Chosen,
}

/// How tones are shown.
#[derive(Debug, Clone, Copy)]
pub struct Paint {
    colours: bool,
}

impl Paint {
    /// Of this terminal. <https://no-color.org>
    pub fn of_terminal() -> Self {
        Self { colours: !anstyle_query::no_color() && anstyle_query::term_supports_ansi_color() }
    }

    /// Without colours.
    #[cfg(test)]
    pub fn plain() -> Self {
        Self { colours: false }
    }

    /// Only the sixteen colours of which each terminal has its own idea: they fit light and dark ones.
    pub fn style(self, tone: Tone) -> Style {
        let coloured = |colour| if self.colours { Style::new().fg(colour) } else { Style::new() };
        match tone {
            Tone::Plain => Style::new(),
            Tone::Quiet if self.colours => Style::new().add_modifier(Modifier::DIM),
            Tone::Quiet => Style::new(),
            Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
            Tone::Done => coloured(Color::Green),
            Tone::Removed => coloured(Color::Blue),
            Tone::Bad => coloured(Color::Red).add_modifier(Modifier::BOLD),
            Tone::Warn => coloured(Color::Yellow),
            Tone::Chosen => Style::new().add_modifier(Modifier::REVERSED),
        }
    }
}

/// Whether the terminal can be drawn on at all.
pub fn can_draw() -> bool {
    env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}
