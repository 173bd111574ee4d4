//! What may be handed out next: the due jobs of some entrypoints, best of all first, as the newest snapshot shows them.
//!
//! Each entrypoint is a stream that walks the one index: priority by priority, in each by (due, id), from the cursor on that
//! memory keeps for it. Between priorities that have a cursor the index is probed for others. A page is read when
//! it is needed, and pages grow, so that the first job costs one probe and a crowd of held ones few.

use crate::error::Error;
use crate::pg::spi::Parameter;
use crate::pg::{self, Time};
use crate::shmem::memory;
use crate::statement;
use pgqueuer_core::claims::{Point, QueueKey, Walk};
use pgrx::check_for_interrupts;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet, VecDeque};

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
    /// Higher first.
    pub priority: i32,
}

impl Candidate {
    fn point(&self) -> Point {
        Point { due: self.due, id: self.id }
    }
}

/// An entrypoint that is asked for.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its index in the caller's list.
    pub place: usize,
    /// Its name.
    pub entrypoint: String,
    /// The same for memory.
    pub queue: QueueKey,
}

/// The longest page.
const PAGE_MOST: i64 = 1024;

struct Stream {
    source: Source,
    /// Priorities that have a cursor and come next, lowest first.
    known: Vec<i32>,
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
    /// The walk over this priority.
    walk: Option<Walk>,
    /// Up to where everything is claimed or gone, as far as this walk has come.
    reached: Option<Point>,
    /// The first that was seen and not taken: no cursor may pass it.
    left: Option<Point>,
    /// Behind everything that is due, once all of it was read.
    end: Option<Point>,
    /// The first that was left out behind its ordering key.
    hidden: Point,
    /// The first job of each ordering key that was met.
    firsts: HashMap<String, Option<i64>>,
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
    pub fn of(sources: impl Iterator<Item = Source>, now: Time, wanted: usize) -> Self {
        let mut streams: Vec<Stream> = sources.map(Stream::new).collect();
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
        Ok(stream.page.pop_front().map(|candidate| {
            stream.reached = Some(candidate.point().next());
            (stream.source.place, candidate)
        }))
    }

    /// The candidate can be claimed, but not now: whoever comes next must see it again.
    pub fn leave(&mut self, place: usize, candidate: &Candidate) {
        if let Some(stream) = self.stream(place).filter(|stream| stream.priority == candidate.priority) {
            stream.left = stream.left.or(Some(candidate.point()));
        }
    }

    /// Puts a candidate back and passes over its entrypoint until [`resume`](Self::resume): its limit is reached.
    pub fn set_aside(&mut self, place: usize, candidate: Candidate) {
        if let Some(stream) = self.stream(place) {
            stream.reached = Some(candidate.point());
            stream.page.push_front(candidate);
            stream.set_aside = true;
        }
    }

    /// Goes on with those that were set aside.
    pub fn resume(&mut self) {
        self.streams.iter_mut().for_each(|stream| stream.set_aside = false);
    }

    /// Tells memory how far the walks have come.
    pub fn finish(&mut self) {
        self.streams.iter_mut().for_each(|stream| {
            stream.end_walk();
        });
    }

    fn stream(&mut self, place: usize) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.source.place == place)
    }
}

impl Stream {
    fn new(source: Source) -> Self {
        let known = memory::read(|claims| claims.known_priorities(&source.queue));
        let mut known = known.map_or(vec![], |(known, count)| known.into_iter().take(count).collect::<Vec<_>>());
        known.sort_unstable();
        Self {
            source,
            known,
            priority: i32::MAX,
            next_at_most: Some(i32::MAX),
            page: VecDeque::new(),
            last: (Time::MIN, i64::MIN),
            page_size: 1,
            state: State::BetweenPriorities,
            set_aside: false,
            walk: None,
            reached: None,
            left: None,
            end: None,
            hidden: Point::NEVER,
            firsts: HashMap::new(),
        }
    }

    /// Sees that the page is not empty unless there is nothing more.
    fn fill(&mut self, now: Time) -> Result<(), Error> {
        while self.page.is_empty() && self.state != State::Closed {
            if self.state == State::BetweenPriorities {
                self.end_walk();
                self.enter_priority(now)?;
            } else {
                self.read_page(now)?;
            }
        }
        Ok(())
    }

    /// Goes to the next priority that has a row that is due, or has a cursor.
    fn enter_priority(&mut self, now: Time) -> Result<(), Error> {
        let Some(bound) = self.next_at_most else {
            self.state = State::Closed;
            return Ok(());
        };
        self.known.retain(|known| *known <= bound);
        let below = self.known.last().map_or(i64::from(i32::MIN) - 1, |known| i64::from(*known));
        let unknown = if below == i64::from(bound) { None } else { self.first_between(below, bound)? };
        match unknown.or(self.known.last().map(|known| (*known, Point::FIRST))) {
            None => self.state = State::Closed,
            // Its first row is not due: none of it is.
            Some((priority, first)) if first.due > now => self.next_at_most = priority.checked_sub(1),
            Some((priority, _)) => {
                self.next_at_most = priority.checked_sub(1);
                self.begin_walk(priority);
            }
        }
        Ok(())
    }

    /// The first row of the highest priority up to `bound` and above `below`. Rows behind the first are not walked.
    fn first_between(&self, below: i64, bound: i32) -> Result<Option<(i32, Point)>, Error> {
        let parameters = [Parameter::from(self.source.entrypoint.as_str()), bound.into(), below.into()];
        statement::NEXT_PRIORITY.run(&parameters, |rows| {
            let first = |row: pg::spi::Row| Some((row.int(1)?, Point { due: row.time(2)?, id: row.big(3)? }));
            Ok(rows.first().and_then(first))
        })
    }

    /// Begins with a priority at its cursor.
    fn begin_walk(&mut self, priority: i32) {
        let walk = memory::change(|claims| claims.begin_walk(&self.source.queue, priority, pg::now()));
        let from = walk.map_or(Point::FIRST, |walk| walk.from);
        self.priority = priority;
        self.last = (from.due, from.id.saturating_sub(1));
        (self.walk, self.reached, self.left, self.end) = (walk, Some(from), None, None);
        // What was asked before may have changed before this walk began.
        self.firsts.clear();
        self.hidden = Point::NEVER;
        self.state = State::InPriority;
    }

    fn end_walk(&mut self) {
        let to = self.left.or(self.page.front().map(Candidate::point)).or(self.end).or(self.reached);
        if let (Some(walk), Some(to)) = (self.walk.take(), to) {
            let hidden = self.hidden;
            memory::change(|claims| claims.end_walk(&self.source.queue, &walk, to, hidden, pg::now()));
        }
    }

    fn read_page(&mut self, now: Time) -> Result<(), Error> {
        let ((due, id), priority) = (self.last, self.priority);
        let parameters = [
            Parameter::from(self.source.entrypoint.as_str()),
            priority.into(),
            Parameter::time(due),
            id.into(),
            Parameter::time(now),
            self.page_size.into(),
        ];
        self.page = statement::CANDIDATES.run(&parameters, |rows| {
            let candidate = |row: pg::spi::Row| {
                let (id, due, created, attempts) = (row.big(1)?, row.time(2)?, row.time(3)?, row.int(4)?);
                Some(Candidate { id, due, created, attempts, ordering_key: row.text(5), priority })
            };
            Ok(rows.iter().filter_map(candidate).collect())
        })?;
        let complete = (self.page.len() as i64) < self.page_size;
        let last = self.page.back().map(Candidate::point);
        self.leave_out_followers()?;
        if let Some(last) = last {
            self.last = (last.due, last.id);
            self.reached = Some(last.next()).filter(|_| self.page.is_empty()).or(self.reached);
        }
        self.page_size = (self.page_size * 2).min(PAGE_MOST);
        if complete {
            // The rest of this priority is not due: go on below it once the page is used up.
            self.end = Some(Point { due: now, id: i64::MAX });
            self.state = State::BetweenPriorities;
        }
        Ok(())
    }

    /// Leaves out jobs that wait behind another with their ordering key. Each key is asked for once.
    fn leave_out_followers(&mut self) -> Result<(), Error> {
        let keys: HashSet<&String> = self.page.iter().filter_map(|candidate| candidate.ordering_key.as_ref()).collect();
        let new: Vec<String> = keys.into_iter().filter(|key| !self.firsts.contains_key(*key)).cloned().collect();
        if !new.is_empty() {
            let parameters = [Parameter::from(self.source.entrypoint.as_str()), new.into()];
            let found: Vec<(String, Option<i64>)> = statement::FIRST_OF_KEYS.run(&parameters, |rows| {
                Ok(rows.iter().filter_map(|row| Some((row.text(1)?, row.big(2)))).collect())
            })?;
            self.firsts.extend(found);
        }
        let (firsts, hidden) = (&self.firsts, &mut self.hidden);
        self.page.retain(|candidate| {
            let first = candidate.ordering_key.as_ref().is_none_or(|key| firsts.get(key) == Some(&Some(candidate.id)));
            if !first {
                *hidden = (*hidden).min(candidate.point());
            }
            first
        });
        Ok(())
    }
}
