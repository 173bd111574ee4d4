//! PostgreSQL's part: a row with its committed version, the changes of one open transaction, and its lock.
//!
//! A snapshot taken now shows what is committed and the own changes. Whoever changes a row or locks it has the row's
//! lock until the end of its transaction or subtransaction. A commit and an abort end the lock in the same step in which
//! they become visible: a newcomer does not wait for a transaction whose callbacks have still to run.

/// What a job's row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Content {
    /// What `replace` rewrites.
    pub payload: u8,
    /// Attempts so far.
    pub attempts: u8,
    /// Whether it may run now: neither deferred nor held as failed.
    pub due: bool,
}

/// What an open transaction has done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Touch {
    /// `FOR UPDATE`.
    Lock,
    /// A new version, or none: the row is deleted.
    Write(Option<Content>),
}

/// A row of `pgq.job`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    committed: Option<Content>,
    /// The touches of one transaction, each with the level of its subtransaction, the latest last.
    touches: Vec<(u8, Touch)>,
    /// Whose transaction that is; meaningless without touches.
    owner: usize,
    /// `xmax` names a transaction that has ended: it only locked the row, or its change was undone.
    stale_xmax: bool,
}

impl Row {
    /// A job that was just enqueued.
    pub fn queued() -> Self {
        let content = Content { payload: 0, attempts: 0, due: true };
        Self { committed: Some(content), touches: vec![], owner: 0, stale_xmax: false }
    }

    /// What everybody sees.
    pub fn committed(&self) -> Option<Content> {
        self.committed
    }

    /// What a snapshot that this session takes now shows.
    pub fn seen_by(&self, session: usize) -> Option<Content> {
        self.written_by(session).unwrap_or(self.committed)
    }

    /// The newest uncommitted version that this session has written.
    pub fn written_by(&self, session: usize) -> Option<Option<Content>> {
        self.all_written_by(session).last()
    }

    /// All versions that this session's transaction has written.
    pub fn all_written_by(&self, session: usize) -> impl Iterator<Item = Option<Content>> {
        let own = self.touches.iter().filter(move |_| self.owner == session);
        own.filter_map(|(_, touch)| if let Touch::Write(content) = touch { Some(*content) } else { None })
    }

    /// Whether this session gets the row's lock without waiting.
    pub fn free_for(&self, session: usize) -> bool {
        self.touches.is_empty() || self.owner == session
    }

    /// Whether the version that this session sees has an `xmax`: somebody has locked the row, or tried to change it.
    pub fn touched_for(&self, session: usize) -> bool {
        self.written_by(session).is_none() && (self.stale_xmax || !self.touches.is_empty())
    }

    /// Locks or changes the row; only where it is [free](Self::free_for).
    pub fn touch(&mut self, session: usize, level: u8, touch: Touch) {
        self.owner = session;
        self.touches.push((level, touch));
    }

    /// The transaction has committed.
    pub fn commit(&mut self, session: usize) {
        if self.touches.is_empty() || self.owner != session {
            return;
        }
        let written = self.written_by(session);
        self.committed = written.unwrap_or(self.committed);
        self.stale_xmax = written.is_none();
        self.forget_touches(0);
    }

    /// The transaction, or its subtransactions from a level on, have been aborted.
    pub fn abort(&mut self, session: usize, level: u8) {
        if self.owner == session && self.touches.iter().any(|(at, _)| *at >= level) {
            self.stale_xmax = self.committed.is_some();
            self.forget_touches(level);
        }
    }

    /// The subtransaction's touches are its parent's now.
    pub fn hand_up(&mut self, session: usize, level: u8) {
        if self.owner == session {
            self.touches.iter_mut().for_each(|(at, _)| *at = (*at).min(level - 1));
        }
    }

    fn forget_touches(&mut self, level: u8) {
        self.touches.retain(|(at, _)| *at < level);
        if self.touches.is_empty() {
            self.owner = 0;
        }
    }
}
