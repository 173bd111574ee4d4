//! Shows the queue until somebody has seen enough.
//!
//! The database is asked and told in tasks of their own, one of each at a time: however long it takes, keys are answered. A
//! look begins when the interval since the last one is over, or when another list is wanted, or when something was changed.

use super::action::Action;
use super::board::{Asked, Board, MOST, only_match};
use super::draw::{About, draw};
use super::keys::{Step, pasted, pressed};
use super::layout::shown;
use super::pane::Pane;
use super::state::{Away, State};
use super::terminal::{Taken, Told, Word};
use crate::cmd::Context;
use crate::error::{Error, Result};
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt;
use pgqueuer_web::look::{Look, Unseen};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{sleep_until, timeout};

/// For how long an answer of the database is waited for: longer than its own statements may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The log of a busy hour is waited for until the next look.
const LOG: Duration = Duration::ZERO;

/// What a task found or did.
enum News {
    Board(Result<Board, Unseen>),
    Done(String),
}

struct Screen {
    context: Arc<Context>,
    look: Arc<Look>,
    state: State,
    interval: Duration,
    sender: UnboundedSender<News>,
    news: UnboundedReceiver<News>,
    /// What the look under way asks for.
    looking: Option<Asked>,
    /// What the last one asked for.
    seen: Option<Asked>,
    /// The look under way is of before a change.
    again: bool,
    acting: bool,
    next: Instant,
}

/// # Errors
/// Where the terminal is gone.
pub async fn show(context: Arc<Context>, look: Look, about: &About, interval: Duration, state: State) -> Result<()> {
    let (sender, news) = unbounded_channel();
    let mut screen = Screen {
        context,
        look: Arc::new(look),
        state,
        interval,
        sender,
        news,
        looking: None,
        seen: None,
        again: false,
        acting: false,
        next: Instant::now() + interval,
    };
    let mut told = Told::listen()?;
    let mut taken = Taken::take()?;
    let mut events = EventStream::new();
    loop {
        taken.draw(|frame| draw(frame, &mut screen.state, about))?;
        let step = tokio::select! {
            event = events.next() => screen.heard(event)?,
            news = screen.news.recv() => screen.learned(news),
            word = told.next() => screen.told(word, &mut taken)?,
            () = sleep_until(screen.next.into()), if screen.looking.is_none() => Step::Fetch,
        };
        match step {
            Step::Quit => return Ok(()),
            Step::Suspend => taken.suspend(true)?,
            Step::Clear => taken.clear()?,
            Step::Act(action) => screen.act(action),
            Step::Draw | Step::Fetch => {}
        }
        screen.look_if_wanted(taken.size());
    }
}

impl Screen {
    fn heard(&mut self, event: Option<std::io::Result<Event>>) -> Result<Step> {
        let lost = |source| Error::System { what: "the terminal cannot be read".into(), source };
        match event {
            None => Ok(Step::Quit),
            Some(Err(error)) => Err(lost(error)),
            Some(Ok(Event::Key(key))) => Ok(pressed(key, &mut self.state, &self.context)),
            Some(Ok(Event::Paste(text))) => Ok(pasted(&text, &mut self.state)),
            Some(Ok(_)) => Ok(Step::Draw),
        }
    }

    fn told(&mut self, word: Word, taken: &mut Taken) -> Result<Step> {
        match word {
            Word::End => return Ok(Step::Quit),
            Word::Stop => taken.suspend(false)?,
            Word::GoOn => taken.retake()?,
        }
        Ok(Step::Draw)
    }

    fn learned(&mut self, news: Option<News>) -> Step {
        match news {
            Some(News::Board(Ok(board))) => {
                (self.state.board, self.state.away) = (board, None);
                self.seen = self.looking.take();
            }
            Some(News::Board(Err(unseen))) => {
                let since = self.state.away.as_ref().map_or_else(Instant::now, |away| away.since);
                self.state.away = Some(Away { since, title: unseen.title });
                self.looking = None;
            }
            Some(News::Done(message)) => {
                self.state.message = Some(message);
                (self.acting, self.again) = (false, true);
            }
            None => {}
        }
        Step::Draw
    }

    /// Begins to look where it is time, where other rows are wanted, or where something was changed.
    fn look_if_wanted(&mut self, size: ratatui::layout::Rect) {
        if self.looking.is_some() {
            return;
        }
        let panes = shown(size, self.state.pane);
        let only = || only_match(&self.state.board, &self.context, &self.state.filter);
        let failed_of = if panes.contains(&Pane::Failed) { only() } else { None };
        let asked = Asked { panes, most: MOST, failed_of, patience: LOG };
        let is_other = self.seen.as_ref() != Some(&asked) && self.state.away.is_none();
        if !(is_other || self.again || Instant::now() >= self.next) {
            return;
        }
        self.again = false;
        self.next = Instant::now() + self.interval;
        self.looking = Some(asked.clone());
        let (look, sender, prefix) = (self.look.clone(), self.sender.clone(), self.context.global.prefix.clone());
        tokio::spawn(async move {
            let fetched = timeout(PATIENCE, Board::fetched(&look, &asked, &prefix)).await;
            let silent = || Unseen { title: "The database does not answer".into(), detail: String::new() };
            sender.send(News::Board(fetched.unwrap_or_else(|_| Err(silent())))).ok();
        });
    }

    fn act(&mut self, action: Action) {
        if std::mem::replace(&mut self.acting, true) {
            self.state.message = Some("The last change is still under way.".into());
            return;
        }
        self.state.message = Some("…".into());
        let (context, sender) = (self.context.clone(), self.sender.clone());
        tokio::spawn(async move {
            let done = action.perform(&context).await;
            sender.send(News::Done(done.unwrap_or_else(|error| error.sentence()))).ok();
        });
    }
}
