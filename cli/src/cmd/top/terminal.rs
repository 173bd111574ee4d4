//! Takes the terminal, and gives it back as it was, however this ends.

use super::paint::can_draw;
use crate::error::{Error, Result};
use crossterm::cursor::{Hide, Show};
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen,
    disable_raw_mode, enable_raw_mode,
};
use nix::unistd::{getppid, getsid};
use ratatui::DefaultTerminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;
use rustix::process::{Signal, getpgrp, getpid, kill_process, kill_process_group};
use std::io::{self, IsTerminal};
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};

/// The exit code of a program that panicked.
const PANICKED: i32 = 101;

/// Whether somebody sits there.
pub fn is_here() -> bool {
    io::stdout().is_terminal() && can_draw()
}

/// The terminal in our hands. Dropped, it is given back.
pub struct Taken(Option<DefaultTerminal>);

impl Taken {
    /// # Errors
    /// Where the terminal does not allow it.
    pub fn take() -> Result<Self> {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // The report is to be read: first the screen, then the words. Whatever part it was, the rest would draw on.
            give_back();
            before(panic);
            std::process::exit(PANICKED);
        }));
        Ok(Self(Some(taken()?)))
    }

    /// # Errors
    /// Where it is gone.
    pub fn draw(&mut self, draw: impl FnOnce(&mut ratatui::Frame<'_>)) -> Result<()> {
        let Some(terminal) = &mut self.0 else { return Ok(()) };
        // A terminal that understands it shows all of it at once.
        crossterm::queue!(io::stdout(), BeginSynchronizedUpdate).map_err(gone)?;
        terminal.draw(draw).map_err(gone)?;
        crossterm::execute!(io::stdout(), EndSynchronizedUpdate).map_err(gone)
    }

    /// How many columns and lines it has.
    pub fn size(&self) -> Rect {
        let size = self.0.as_ref().and_then(|terminal| terminal.size().ok()).unwrap_or_default();
        Rect::new(0, 0, size.width, size.height)
    }

    /// What stands there is not what we drew.
    ///
    /// # Errors
    /// Where it is gone.
    pub fn clear(&mut self) -> Result<()> {
        if self.0.is_some() {
            // ratatui's own way asks the terminal where its cursor is, and not every one answers.
            crossterm::execute!(io::stdout(), Clear(ClearType::All)).map_err(gone)?;
            self.0 = Some(blank()?);
        }
        Ok(())
    }

    /// Gives it back, stops until somebody brings us to the front again, and takes it anew.
    ///
    /// # Errors
    /// Where it cannot be taken again.
    pub fn suspend(&mut self, all: bool) -> Result<()> {
        if !can_stop() {
            return Ok(());
        }
        self.0 = None;
        give_back();
        // Not SIGTSTP, which we hear ourselves. `all`: also those who read what we write, as the terminal would do.
        let stopped =
            if all { kill_process_group(getpgrp(), Signal::STOP) } else { kill_process(getpid(), Signal::STOP) };
        stopped.map_err(|error| gone(error.into()))?;
        self.retake()
    }

    /// Takes it again: a shell has had it meanwhile.
    ///
    /// # Errors
    /// Where that is not allowed.
    pub fn retake(&mut self) -> Result<()> {
        if self.0.take().is_some() {
            // Raw mode is only set where it is not known to be set already.
            disable_raw_mode().ok();
        }
        self.0 = Some(taken()?);
        self.clear()
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.0 = None;
        give_back();
    }
}

/// Without ratatui's own hook for panics: each time we come back it would be put around the last one.
fn taken() -> Result<DefaultTerminal> {
    enable_raw_mode().map_err(gone)?;
    // A text that is pasted comes as one, and not as so many keys.
    let entered = crossterm::execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Hide);
    entered.map_err(gone).and_then(|()| blank()).inspect_err(|_| give_back())
}

/// Does what it can: the terminal may be gone.
fn give_back() {
    crossterm::execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show).ok();
    disable_raw_mode().ok();
}

/// One of which nothing is known to stand there.
fn blank() -> Result<DefaultTerminal> {
    ratatui::Terminal::new(CrosstermBackend::new(io::stdout())).map_err(gone)
}

fn gone(source: io::Error) -> Error {
    Error::System { what: "the terminal cannot be used".into(), source }
}

/// Whether somebody could bring us back: a shell of our session. Without one, as in a container, we would stand for ever.
///
/// nix, not rustix: the session of a parent from outside of our container has the number 0, which rustix does not expect.
fn can_stop() -> bool {
    let session = |process| getsid(process).ok();
    let parent = getppid();
    parent.as_raw() != 0 && session(Some(parent)) == session(None)
}

/// What the system tells this process.
pub struct Told {
    ends: [Signals; 4],
    stop: Signals,
    goes_on: Signals,
}

/// What was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    End,
    Stop,
    GoOn,
}

impl Told {
    /// # Errors
    /// Where signals cannot be heard.
    pub fn listen() -> Result<Self> {
        let heard =
            |kind| signal(kind).map_err(|source| Error::System { what: "signals cannot be heard".into(), source });
        Ok(Self {
            ends: [
                heard(SignalKind::terminate())?,
                heard(SignalKind::hangup())?,
                heard(SignalKind::interrupt())?,
                heard(SignalKind::quit())?,
            ],
            stop: heard(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            goes_on: heard(SignalKind::from_raw(Signal::CONT.as_raw()))?,
        })
    }

    pub async fn next(&mut self) -> Word {
        let [terminate, hangup, interrupt, quit] = &mut self.ends;
        tokio::select! {
            _ = terminate.recv() => Word::End,
            _ = hangup.recv() => Word::End,
            _ = interrupt.recv() => Word::End,
            _ = quit.recv() => Word::End,
            _ = self.stop.recv() => Word::Stop,
            _ = self.goes_on.recv() => Word::GoOn,
        }
    }
}
