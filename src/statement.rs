//! The statements of `sql/query`, each prepared once a session. Nothing else runs SQL.

use crate::error::Error;
use crate::pg::spi::{Parameter, Plan, Rows};
use pgrx::pg_sys::{
    BOOLARRAYOID, BOOLOID, BYTEAARRAYOID, BYTEAOID, FLOAT8OID, INT4ARRAYOID, INT4OID, INT8ARRAYOID, INT8OID,
    INTERVALOID, JSONBARRAYOID, JSONBOID, OIDOID, Oid, TEXTARRAYOID, TEXTOID, TIMESTAMPTZARRAYOID, TIMESTAMPTZOID,
    UUIDARRAYOID, UUIDOID,
};

/// One statement: its text, the types of its parameters, its plan.
pub struct Statement {
    text: &'static str,
    types: &'static [Oid],
    plan: Plan,
}

impl Statement {
    const fn new(text: &'static str, types: &'static [Oid]) -> Self {
        Self { text, types, plan: Plan::new() }
    }

    /// Runs it with the newest snapshot and hands the rows to `read`; they live only that long.
    ///
    /// # Errors
    /// Those of `read`. What PostgreSQL itself raises does not return.
    pub fn run<R>(&self, parameters: &[Parameter], read: impl FnOnce(&Rows) -> Result<R, Error>) -> Result<R, Error> {
        if parameters.len() != self.types.len() {
            return Err(Error::Broken(format!("{} parameters for {}", parameters.len(), self.types.len())));
        }
        self.plan.run(self.text, self.types, parameters, read)
    }

    /// Runs it and returns its first column, bigint.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn bigs(&self, parameters: &[Parameter]) -> Result<Vec<i64>, Error> {
        self.run(parameters, |rows| Ok(rows.bigs()))
    }
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $file:literal ($($oid:ident),*);)*) => {
        $($(#[$doc])* pub static $name: Statement =
            Statement::new(include_str!(concat!("../sql/query/", $file, ".sql")), &[$($oid),*]);)*
    };
}

const TIMES: Oid = TIMESTAMPTZARRAYOID;

statements! {
    /// Inserts one job.
    ENQUEUE = "enqueue" (TIMESTAMPTZOID, TEXTOID, BYTEAOID, INT4OID, TIMESTAMPTZOID, INTERVALOID, TEXTOID, JSONBOID, TEXTOID, TEXTOID, TIMESTAMPTZOID);
    /// Inserts many jobs.
    ENQUEUE_MANY = "enqueue_many" (TIMESTAMPTZOID, INT8ARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, INT4ARRAYOID, TIMES, TEXTARRAYOID, JSONBARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID);
    /// Inserts those whose key is free.
    ENQUEUE_SKIP = "enqueue_skip" (TIMESTAMPTZOID, INT8ARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, INT4ARRAYOID, TIMES, TEXTARRAYOID, JSONBARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID);
    /// Inserts or rewrites.
    ENQUEUE_REPLACE = "enqueue_replace" (TIMESTAMPTZOID, INT8ARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, INT4ARRAYOID, TIMES, TEXTARRAYOID, JSONBARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID);
    /// Inserts jobs that another queue has begun with.
    IMPORT_JOBS = "import_jobs" (TIMESTAMPTZOID, INT8ARRAYOID, TEXTARRAYOID, BYTEAARRAYOID, INT4ARRAYOID, TIMES, TEXTARRAYOID, JSONBARRAYOID, TEXTARRAYOID, TEXTOID, TEXTOID, TIMES, INT4ARRAYOID, TIMES, JSONBARRAYOID);
    /// Settings of entrypoints.
    ENTRYPOINTS = "entrypoints" (TEXTARRAYOID);
    /// The next priority of an entrypoint.
    NEXT_PRIORITY = "next_priority" (TEXTOID, INT4OID, INT8OID);
    /// The next jobs of an entrypoint and priority.
    CANDIDATES = "candidates" (TEXTOID, INT4OID, TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID, INT8OID);
    /// The first job of ordering keys.
    FIRST_OF_KEYS = "first_of_keys" (TEXTOID, TEXTARRAYOID);
    /// The second look at claimed jobs.
    LOOK = "look" (INT8ARRAYOID, TIMESTAMPTZOID);
    /// Those rows that nobody else has locked.
    UNLOCKED = "unlocked" (INT8ARRAYOID);
    /// Locks the rows of jobs that have some keys.
    LOCK_KEYS = "lock_keys" (TEXTARRAYOID);
    /// Locks rows.
    LOCK = "lock" (INT8ARRAYOID);
    /// What decides about a failed attempt.
    POLICY = "policy" (INT8OID);
    /// Removes jobs and logs their end.
    FINISH = "finish" (TIMESTAMPTZOID, INT8ARRAYOID, INT4ARRAYOID, TIMES, UUIDARRAYOID, TIMES, TEXTARRAYOID, JSONBARRAYOID);
    /// Holds jobs as failed.
    HOLD = "hold" (TIMESTAMPTZOID, INT8ARRAYOID, INT4ARRAYOID, TIMES, UUIDARRAYOID, TIMES, JSONBARRAYOID);
    /// Queues a job again.
    RETRY = "retry" (TIMESTAMPTZOID, INT8OID, INT4OID, TIMESTAMPTZOID, UUIDOID, TIMESTAMPTZOID, JSONBOID, INTERVALOID, INT4OID);
    /// Deletes all queued jobs.
    CLEAR = "clear" (TIMESTAMPTZOID, TEXTARRAYOID);
    /// Queues held jobs again.
    REQUEUE = "requeue" (TIMESTAMPTZOID, INT8ARRAYOID);
    /// Changes earliest start and priority.
    RESCHEDULE = "reschedule" (INT8ARRAYOID, TIMESTAMPTZOID, INT4OID);
    /// Pauses an entrypoint.
    PAUSE = "pause" (TEXTOID);
    /// Ends a pause.
    RESUME = "resume" (TEXTOID);
    /// Changes settings.
    CONFIGURE = "configure" (TEXTOID, INT4OID, INT4OID, INTERVALOID, INTERVALOID, FLOAT8OID, TEXTOID, INT4OID, INT4OID, INTERVALOID);
    /// A word as a pgq.job_status.
    STATUS = "status" (TEXTOID);
    /// Locks the rows of lost claims.
    LOST = "lost" (INT8ARRAYOID, INT4ARRAYOID, TIMES);
    /// Those jobs that are still what was claimed.
    STILL_THERE = "still_there" (INT8ARRAYOID, INT4ARRAYOID, TIMES);
    /// Counts and logs lost attempts.
    RELEASE = "release" (TIMESTAMPTZOID, INT8ARRAYOID, INT4ARRAYOID, TIMES, UUIDARRAYOID, TIMES);
    /// Jobs that have not ended.
    NOT_ENDED = "not_ended" (INT8ARRAYOID);
    /// What fell due, and when the next job does.
    DUE_JOBS = "due_jobs" (TIMESTAMPTZOID, TIMESTAMPTZOID);
    /// Receipts that fit their jobs.
    RECEIPTS = "receipts" ();
    /// All receipts.
    WRITTEN_RECEIPTS = "written_receipts" ();
    /// Writes receipts.
    WRITE_RECEIPTS = "write_receipts" (INT8ARRAYOID, INT4ARRAYOID, TIMES, UUIDARRAYOID, BOOLARRAYOID, TIMES, INT8ARRAYOID);
    /// Strikes out receipts.
    STRIKE_RECEIPTS = "strike_receipts" (INT8ARRAYOID);
    /// Makes or changes a schedule.
    SCHEDULE = "schedule" (TEXTOID, TEXTOID, TEXTOID, TEXTOID, BYTEAOID, INT4OID, JSONBOID, TEXTOID, BOOLOID, TEXTOID, TIMESTAMPTZOID, TEXTOID);
    /// Makes a schedule that another scheduler has begun with.
    IMPORT_SCHEDULE = "import_schedule" (TEXTOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, TIMESTAMPTZOID, TEXTOID);
    /// Removes a schedule.
    UNSCHEDULE = "unschedule" (TEXTOID);
    /// Pauses a schedule.
    PAUSE_SCHEDULE = "pause_schedule" (TEXTOID);
    /// A paused schedule, locked.
    PAUSED_SCHEDULE = "paused_schedule" (TEXTOID);
    /// Ends its pause.
    RESUME_SCHEDULE = "resume_schedule" (TEXTOID, TIMESTAMPTZOID);
    /// Schedules whose tick has come, locked.
    DUE_SCHEDULES = "due_schedules" (TIMESTAMPTZOID, INT8ARRAYOID, INT8OID);
    /// When the first schedule ticks.
    NEXT_TICK = "next_tick" (INT8ARRAYOID);
    /// Enqueues the jobs of ticks.
    FIRE = "fire" (TIMESTAMPTZOID, INT8ARRAYOID, INT8ARRAYOID, TIMES);
    /// Takes ticks.
    ADVANCE = "advance" (INT8ARRAYOID, TIMES, TIMES, INT8ARRAYOID, TEXTARRAYOID);
    /// Says why a schedule was not fired.
    NOTE = "note" (INT8OID, TEXTOID);
    /// Schedules that have ticked in the future.
    AHEAD_OF_CLOCK = "ahead_of_clock" (TIMESTAMPTZOID);
    /// Whether schedules tick in this database.
    ARMING = "arming" (INT8OID, OIDOID, OIDOID, INT4OID);
    /// Writes down what a copy or an upgrade has changed.
    SETTLE = "settle" (INT8OID, OIDOID, OIDOID, INT4OID, BOOLOID, TEXTOID, BOOLOID);
    /// Says that they do.
    ARM = "arm" (INT8OID, OIDOID, OIDOID, INT4OID);
    /// Lets the triggers of the view fire always.
    ALWAYS_FIRE = "always_fire" ();
    /// Makes all schedules those of this database.
    ADOPT_SCHEDULES = "adopt_schedules" ();
    /// How often a job has been tried.
    ATTEMPTS = "attempts" (INT8OID);
    /// The state of the log's ring.
    LOG_RING = "log_ring" ();
    /// Writes down the state of the log's ring.
    WRITE_LOG_RING = "write_log_ring" (INT4OID, TIMESTAMPTZOID, TIMES);
    /// Empties a table of the log's ring.
    EMPTY_LOG = "empty_log" (INT4OID, INT4OID);
    /// Removes jobs that have been held for long.
    PRUNE_FAILED = "prune_failed" (TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8OID, TEXTOID);
    /// Since when a job has been held.
    OLDEST_FAILED = "oldest_failed" (TIMESTAMPTZOID);
    /// What rows tell of why a job is not running.
    EXPLAIN = "explain" (INT8OID, TEXTOID);
    /// Priorities of entrypoints, in gaps between those that are known.
    PRIORITIES = "priorities" (TEXTARRAYOID, INT8ARRAYOID, INT8ARRAYOID, INT8OID);
    /// Due jobs that nobody holds, counted to a bound.
    BACKLOG = "backlog" (TEXTARRAYOID, INT4ARRAYOID, TIMES, INT8ARRAYOID, TIMES, INT8ARRAYOID, INT8ARRAYOID, INT8ARRAYOID);
    /// Deferred and held jobs, counted to a bound.
    SET_ASIDE = "set_aside" (TEXTARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT8ARRAYOID, TIMESTAMPTZOID);
    /// Entrypoints, in gaps between those that are known.
    NAMES = "names" (TEXTARRAYOID, TEXTARRAYOID, INT8OID);
    /// Settings that an operator watches.
    CONFIGURED = "configured" ();
    /// What the server tells of the queue.
    SERVER = "server" ();
}
