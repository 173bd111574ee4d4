//! What may be handed out next: the due jobs of some entrypoints, best of all first, as the newest snapshot shows them.
//!
//! Each entrypoint is a stream that walks the one index: priority by priority, in each by (due, id). A page is read when
//! it is needed, and pages grow, so that the first job costs one probe and a crowd of held ones few.

use crate::error::Error;
use crate::pg::Time;
use crate::pg::spi::Parameter;
use crate::statement;
use pgrx::check_for_interrupts;
use std::cmp::Reverse;
use std::collections::VecDeque;

/// A job that was seen to be claimable.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The job.
    pub id: i64,
    /// When it may run.
    pub due: Time,
    /// When it was enqueued.
    pub created: Time,
    /// Attempts so far.
    pub attempts: i32,
    /// Its ordering key.
    pub ordering_key: Option<String>,
}

/// The longest page.
const PAGE_MOST: i64 = 1024;

struct Stream {
    entrypoint: String,
    /// Whose index is the caller's place for this entrypoint.
    place: usize,
    /// The priority of the page.
    priority: i32,
    /// The highest that the next priority can be; none below the lowest int.
    next_at_most: Option<i32>,
    page: VecDeque<Candidate>,
    /// The last one read.
    last: (Time, i64),
    page_size: i64,
    state: State,
    set_aside: bool,
}

#[derive(PartialEq)]
enum State {
    /// The next priority must be looked for.
    BetweenPriorities,
    /// Rows of `priority` are being read.
    InPriority,
    /// There is nothing more.
    Closed,
}

/// The candidates of several entrypoints.
pub struct Candidates {
    streams: Vec<Stream>,
    now: Time,
}

impl Candidates {
    /// Begins with the head of each entrypoint's queue. `wanted` is about how many will be taken.
    pub fn of(entrypoints: impl Iterator<Item = (usize, String)>, now: Time, wanted: usize) -> Self {
        let mut streams: Vec<Stream> = entrypoints.map(|(place, entrypoint)| Stream::new(entrypoint, place)).collect();
        let share = wanted / streams.len().max(1) + 2;
        streams.iter_mut().for_each(|stream| stream.page_size = (share as i64).min(PAGE_MOST));
        Self { streams, now }
    }

    /// The best candidate that is left, with the place of its entrypoint.
    ///
    /// # Errors
    /// [`Error::Broken`] where a statement fails.
    pub fn next(&mut self) -> Result<Option<(usize, Candidate)>, Error> {
        check_for_interrupts!();
        for stream in self.streams.iter_mut().filter(|stream| !stream.set_aside) {
            stream.fill(self.now)?;
        }
        let best = self.streams.iter_mut().filter(|stream| !stream.set_aside).filter_map(|stream| {
            let head = stream.page.front()?;
            Some(((Reverse(stream.priority), head.due, head.id), stream))
        });
        let Some((_, stream)) = best.min_by_key(|(rank, _)| *rank) else { return Ok(None) };
        Ok(stream.page.pop_front().map(|candidate| (stream.place, candidate)))
    }

    /// Puts a candidate back and passes over its entrypoint until [`resume`](Self::resume): its limit is reached.
    pub fn set_aside(&mut self, place: usize, candidate: Candidate) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.place == place) {
            stream.page.push_front(candidate);
            stream.set_aside = true;
        }
    }

    /// Goes on with those that were set aside.
    pub fn resume(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.set_aside = false);
    }
}

impl Stream {
    fn new(entrypoint: String, place: usize) -> Self {
        let page = VecDeque::new();
        let last = (Time::MIN, i64::MIN);
        let (priority, state) = (i32::MAX, State::BetweenPriorities);
        Self {
            entrypoint,
            place,
            priority,
            next_at_most: Some(priority),
            page,
            last,
            page_size: 1,
            state,
            set_aside: false,
        }
    }

    /// Sees that the page is not empty unless there is nothing more.
    fn fill(&mut self, now: Time) -> Result<(), Error> {
        while self.page.is_empty() && self.state != State::Closed {
            if self.state == State::BetweenPriorities {
                self.enter_priority(now)?;
            } else {
                self.read_page(now)?;
            }
        }
        Ok(())
    }

    /// Goes to the next priority that has a row that is due, and there to just before that row: the walk of dead index
    /// entries in front of it is done once.
    fn enter_priority(&mut self, now: Time) -> Result<(), Error> {
        let Some(bound) = self.next_at_most else {
            self.state = State::Closed;
            return Ok(());
        };
        let parameters = [Parameter::from(self.entrypoint.as_str()), bound.into()];
        let first = statement::NEXT_PRIORITY
            .run(&parameters, |rows| Ok(rows.first().and_then(|row| Some((row.int(1)?, row.time(2)?, row.big(3)?)))))?;
        let Some((priority, due, id)) = first else {
            self.state = State::Closed;
            return Ok(());
        };
        self.next_at_most = priority.checked_sub(1);
        if due <= now {
            self.priority = priority;
            self.last = (due, id.saturating_sub(1));
            self.state = State::InPriority;
        }
        Ok(())
    }

    fn read_page(&mut self, now: Time) -> Result<(), Error> {
        let (due, id) = self.last;
        let parameters = [
            Parameter::from(self.entrypoint.as_str()),
            self.priority.into(),
            Parameter::time(due),
            id.into(),
            Parameter::time(now),
            self.page_size.into(),
        ];
        self.page = statement::CANDIDATES.run(&parameters, |rows| {
            let candidate = |row: crate::pg::spi::Row| {
                let (id, due, created, attempts) = (row.big(1)?, row.time(2)?, row.time(3)?, row.int(4)?);
                Some(Candidate { id, due, created, attempts, ordering_key: row.text(5) })
            };
            Ok(rows.iter().filter_map(candidate).collect())
        })?;
        let complete = (self.page.len() as i64) < self.page_size;
        if let Some(last) = self.page.back() {
            self.last = (last.due, last.id);
        }
        self.page_size = (self.page_size * 2).min(PAGE_MOST);
        if complete {
            // The rest of this priority is not due: go on below it once the page is used up.
            self.state = State::BetweenPriorities;
        }
        Ok(())
    }
}
