//! The lists of the screen, and the columns of each.

use std::fmt;

/// A list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pane {
    Entrypoints,
    InFlight,
    Failed,
    Workers,
    Schedules,
}

/// How a value of a column is shown, and by what it is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it is.
    Text,
    /// Of unknown length: what room there is goes to these.
    Long,
    Number,
    /// Counted up to a bound, which a + tells.
    Bounded,
    /// Of a row of entrypoints: how many are in flight, of how many.
    OfLimit,
    /// Seconds.
    Length,
    /// A time, as the length from it to now.
    Since,
    /// A time, told from now: "3 min ago", "in 2 h".
    When,
    /// A number a minute, as a row of small bars.
    Hour,
}

/// What stands under a heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    pub heading: &'static str,
    /// The field of the row.
    pub key: &'static str,
    pub kind: Kind,
}

const fn column(heading: &'static str, key: &'static str, kind: Kind) -> Column {
    Column { heading, key, kind }
}

/// The first columns are kept where there is little room.
const ENTRYPOINTS: [Column; 10] = [
    column("entrypoint", "entrypoint", Kind::Long),
    column("waiting", "due", Kind::Bounded),
    column("in flight", "in_flight", Kind::OfLimit),
    column("failed", "failed", Kind::Bounded),
    column("oldest", "oldest_seconds", Kind::Length),
    column("note", "note", Kind::Text),
    column("later", "deferred", Kind::Bounded),
    column("done/min", "done_last_minute", Kind::Number),
    column("failed/h", "failed_last_hour", Kind::Number),
    column("done, last hour", "done_by_minute", Kind::Hour),
];
const IN_FLIGHT: [Column; 5] = [
    column("job", "id", Kind::Number),
    column("entrypoint", "entrypoint", Kind::Long),
    column("running", "running_seconds", Kind::Length),
    column("attempts", "attempts", Kind::Number),
    column("worker", "worker", Kind::Text),
];
const FAILED: [Column; 6] = [
    column("job", "id", Kind::Number),
    column("entrypoint", "entrypoint", Kind::Long),
    column("failed", "failed", Kind::When),
    column("error", "error", Kind::Long),
    column("payload", "payload_start", Kind::Long),
    column("attempts", "attempts", Kind::Number),
];
const WORKERS: [Column; 8] = [
    column("worker", "worker", Kind::Text),
    column("jobs", "jobs", Kind::Number),
    column("heard of", "last_seen", Kind::When),
    column("entrypoints", "entrypoints", Kind::Long),
    column("longest", "oldest", Kind::Since),
    column("application", "application", Kind::Text),
    column("kind", "kind", Kind::Text),
    column("process", "pid", Kind::Number),
];
const SCHEDULES: [Column; 8] = [
    column("schedule", "name", Kind::Long),
    column("next tick", "next_tick", Kind::When),
    column("cron", "cron", Kind::Text),
    column("note", "note", Kind::Text),
    column("entrypoint", "entrypoint", Kind::Long),
    column("last tick", "last_tick", Kind::When),
    column("time zone", "timezone", Kind::Text),
    column("last job", "last_job", Kind::Number),
];

impl Pane {
    pub const ALL: [Self; 5] = [Self::Entrypoints, Self::InFlight, Self::Failed, Self::Workers, Self::Schedules];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Entrypoints => "Entrypoints",
            Self::InFlight => "In flight",
            Self::Failed => "Failed",
            Self::Workers => "Workers",
            Self::Schedules => "Schedules",
        }
    }

    pub const fn columns(self) -> &'static [Column] {
        match self {
            Self::Entrypoints => &ENTRYPOINTS,
            Self::InFlight => &IN_FLIGHT,
            Self::Failed => &FAILED,
            Self::Workers => &WORKERS,
            Self::Schedules => &SCHEDULES,
        }
    }

    /// What tells one row from another, through all refreshes.
    pub const fn identity(self) -> &'static str {
        match self {
            Self::Entrypoints => "entrypoint",
            Self::InFlight | Self::Failed => "id",
            Self::Workers => "worker",
            Self::Schedules => "name",
        }
    }

    /// What an empty one says.
    pub const fn nothing(self) -> &'static str {
        match self {
            Self::Entrypoints => "No entrypoint is known yet: pgq enqueue hello world",
            Self::InFlight => "No job is in flight.",
            Self::Failed => "No job has failed for good.",
            Self::Workers => "No worker is known.",
            Self::Schedules => "There are no schedules: pgq schedules add --help",
        }
    }

    /// The keys that do something to its rows, and what they do.
    pub const fn keys(self) -> &'static [(char, &'static str)] {
        match self {
            Self::Entrypoints => &[('p', "pause"), ('u', "resume")],
            Self::InFlight => &[('c', "cancel")],
            Self::Failed => &[('r', "requeue"), ('c', "cancel")],
            Self::Workers => &[],
            Self::Schedules => &[('p', "pause"), ('u', "resume"), ('x', "run now")],
        }
    }

    /// The next one, or so many before it.
    pub fn step(self, by: isize) -> Self {
        let count = Self::ALL.len();
        let place = Self::ALL.iter().position(|pane| *pane == self).unwrap_or(0);
        let next = place.saturating_add_signed(by.rem_euclid(count.cast_signed())) % count;
        Self::ALL.get(next).copied().unwrap_or(self)
    }
}

impl fmt::Display for Pane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
