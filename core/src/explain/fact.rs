//! What is known of a job that is not running.

use crate::claims::Refusal;

/// A time as it is shown, and how far it is from now, either way, microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// As the server prints it.
    pub shown: String,
    /// Microseconds.
    pub away: i64,
}

/// When a job may run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// It may, since then.
    Since(Moment),
    /// Not before then.
    At(Moment),
    /// Its time is infinity.
    Never,
}

/// The last row of a job in the log.
#[derive(Debug, Clone)]
pub struct Last {
    /// How the attempt or the job ended, a word of pgq.job_status.
    pub outcome: String,
    /// Which attempt, from 0.
    pub attempt: i32,
    /// What was given as the reason.
    pub error: Option<String>,
    /// When.
    pub at: Moment,
}

/// Who holds a job.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The worker.
    pub worker: By,
    /// Which attempt, from 0.
    pub attempt: i32,
    /// When it was claimed.
    pub since: Moment,
    /// What becomes of the claim.
    pub state: Hold,
}

/// A worker.
#[derive(Debug, Clone)]
pub enum By {
    /// A session, by its process.
    Session(i32),
    /// A named worker: its uuid, when it was last heard of, and when its claims are lost if it is not heard of again.
    Named(String, Moment, Moment),
    /// One that memory knows no more, by its uuid.
    Gone(String),
}

/// What becomes of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Its worker is at it.
    Stands,
    /// The transaction that made it is open.
    Open,
    /// A transaction that is open is ending it.
    Ending,
    /// Its worker is gone.
    Lost,
}

/// The first job of an ordering key.
#[derive(Debug, Clone)]
pub struct First {
    /// Its id.
    pub id: i64,
    /// The key.
    pub key: String,
    /// When it may run.
    pub due: Due,
    /// Who holds it.
    pub holder: Option<Holder>,
}

/// The row of a live job.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its entrypoint.
    pub entrypoint: String,
    /// How many earlier attempts there were.
    pub attempts: i32,
    /// How many of them failed.
    pub failures: i32,
    /// Held as failed.
    pub held: bool,
    /// When it may run.
    pub due: Due,
    /// The entrypoint is paused.
    pub paused: bool,
    /// The first job of its ordering key, if it is another.
    pub behind: Option<First>,
    /// A transaction that is open has locked or changed the row.
    pub locked: bool,
    /// What memory says.
    pub memory: Memory,
}

/// What memory says of a job.
#[derive(Debug, Clone)]
pub enum Memory {
    /// The library is not preloaded.
    Absent,
    /// This is a standby.
    Elsewhere,
    /// This.
    Here(Box<Here>),
}

/// What memory says of a job and its entrypoint.
#[derive(Debug, Clone)]
pub struct Here {
    /// Who holds the job.
    pub holder: Option<Holder>,
    /// Why a claim would be refused.
    pub refusal: Option<Refusal>,
    /// Jobs of the entrypoint in flight, and how many may be.
    pub in_flight: (u64, u32),
    /// Claims per microseconds, and when the next is possible.
    pub rate: Option<(u32, i64, Moment)>,
    /// How often in a row its claims were rolled back, and until when it is held back.
    pub rest: Option<(u64, Moment)>,
    /// Claims that memory holds, and for how many it has room.
    pub room: (u64, u64),
    /// When a worker last asked for the entrypoint.
    pub asked: Asked,
    /// How many sessions wait for its jobs.
    pub waiting: u64,
    /// How many jobs come first.
    pub ahead: Ahead,
}

/// When a worker last asked for an entrypoint.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Then, after the job became due.
    Since(Moment),
    /// Then, before.
    Before(Moment),
    /// Not since the server started.
    Never,
    /// Memory has no room to know.
    Unknown,
}

/// How many jobs come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ahead {
    /// So many.
    Exactly(i64),
    /// So many or more.
    AtLeast(i64),
}
