//! Every setting, with unit, range, context and default. `docs/settings.md` is compared with this file by a test.

use crate::pg::version::{Registry, Text};
use pgrx::guc::{GucContext, GucFlags, GucSetting, PostgresGucEnum};

/// When a commit that enqueued jobs tells those who LISTEN. The names are the words that the setting takes.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Notify {
    /// One notification for a burst of commits.
    coalesced,
    /// One notification with each commit.
    transactional,
    /// None.
    off,
}

static DEFAULT_LEASE: GucSetting<i32> = GucSetting::<i32>::new(30_000);
static MAX_CLAIMS: GucSetting<i32> = GucSetting::<i32>::new(32_768);
static MAX_ENTRYPOINTS: GucSetting<i32> = GucSetting::<i32>::new(2048);
static MAX_NAMED_WORKERS: GucSetting<i32> = GucSetting::<i32>::new(1024);
static MAX_BACKGROUND_WORKERS: GucSetting<i32> = GucSetting::<i32>::new(4);
static ENABLED: GucSetting<bool> = GucSetting::<bool>::new(true);
static DATABASES: GucSetting<Option<Text>> = GucSetting::<Option<Text>>::new(Some(c"*"));
static ATTACH_GRACE: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static RECEIPT_AFTER: GucSetting<i32> = GucSetting::<i32>::new(1_000);
static ROLLBACK_DELAY: GucSetting<i32> = GucSetting::<i32>::new(100);
static LOG_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(7 * 86_400);
static FAILED_RETENTION: GucSetting<i32> = GucSetting::<i32>::new(0);
static NOTIFY: GucSetting<Notify> = GucSetting::<Notify>::new(Notify::coalesced);

/// Registers the settings. `preloading` says whether the server is starting: what shared memory is sized by can be
/// set only then.
pub fn init(preloading: bool) {
    Registry::define_int_guc(
        c"pgqueuer.default_lease",
        c"How long a sign of life of a named worker keeps its claims, where the call does not say.",
        c"",
        &DEFAULT_LEASE,
        100,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    Registry::define_enum_guc(
        c"pgqueuer.notify",
        c"When a commit that enqueued jobs tells those who LISTEN.",
        c"",
        &NOTIFY,
        GucContext::Userset,
        GucFlags::default(),
    );
    Registry::define_int_guc(
        c"pgqueuer.attach_grace",
        c"How long after the end of its last attached session a named worker keeps its claims.",
        c"A session says with pgq.attach that it belongs to a worker.",
        &ATTACH_GRACE,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    Registry::define_int_guc(
        c"pgqueuer.receipt_after",
        c"How old a claim is when it is written down, to be known after a restart.",
        c"Claims that end sooner cost no write.",
        &RECEIPT_AFTER,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    Registry::define_int_guc(
        c"pgqueuer.rollback_delay",
        c"How long a job rests whose claim was rolled back for the second time in a row; each further time doubles it.",
        c"0 hands it out again at once, always. At most a minute.",
        &ROLLBACK_DELAY,
        0,
        60_000,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    init_retention();
    init_background();
    if preloading {
        init_sizes();
    }
}

/// How long what has ended is kept.
fn init_retention() {
    Registry::define_int_guc(
        c"pgqueuer.log_retention",
        c"How long rows of pgq.job_log are kept: so long at least, a seventh longer at most.",
        c"0 keeps them for ever.",
        &LOG_RETENTION,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
    Registry::define_int_guc(
        c"pgqueuer.failed_retention",
        c"How long a job is held as failed until it is deleted.",
        c"0 holds it until somebody requeues or deletes it.",
        &FAILED_RETENTION,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_S,
    );
}

/// What the background workers do, and where.
fn init_background() {
    Registry::define_bool_guc(
        c"pgqueuer.enabled",
        c"Whether background workers run: without them no schedule ticks.",
        c"Off, jobs can be enqueued, claimed and finished; nobody is told of deferred jobs and lost workers at once.",
        &ENABLED,
        GucContext::Sighup,
        GucFlags::default(),
    );
    Registry::define_string_guc(
        c"pgqueuer.databases",
        c"The databases that background workers look after: names, separated by commas; * for all.",
        c"Those without the extension are left alone.",
        &DATABASES,
        GucContext::Sighup,
        GucFlags::default(),
    );
    Registry::define_int_guc(
        c"pgqueuer.max_background_workers",
        c"How many background workers look after databases at one time.",
        c"With more databases they take turns; each is looked after when there is something to do.",
        &MAX_BACKGROUND_WORKERS,
        1,
        1024,
        GucContext::Sighup,
        GucFlags::default(),
    );
}

/// What shared memory is sized by.
fn init_sizes() {
    Registry::define_int_guc(
        c"pgqueuer.max_claims",
        c"How many jobs can be held at one time, in all databases of the server.",
        c"Sizes shared memory, some 400 bytes a claim. Where it is full, pgq.dequeue hands out less.",
        &MAX_CLAIMS,
        64,
        16_777_216,
        GucContext::Postmaster,
        GucFlags::default(),
    );
    Registry::define_int_guc(
        c"pgqueuer.max_entrypoints",
        c"Of how many entrypoints the server remembers where their queues begin and counts what happens, in all databases.",
        c"Sizes shared memory, some 1500 bytes each. One too many takes the place of another, whose queue is then read from the start, and is counted without its name.",
        &MAX_ENTRYPOINTS,
        16,
        1_048_576,
        GucContext::Postmaster,
        GucFlags::default(),
    );
    Registry::define_int_guc(
        c"pgqueuer.max_named_workers",
        c"How many named workers can be known at one time, in all databases.",
        c"Sizes shared memory, some 100 bytes each.",
        &MAX_NAMED_WORKERS,
        16,
        1_048_576,
        GucContext::Postmaster,
        GucFlags::default(),
    );
}

/// The lease of a named worker that names none, microseconds.
pub fn default_lease() -> i64 {
    i64::from(DEFAULT_LEASE.get()) * 1000
}

/// How many jobs can be held at one time.
pub fn max_claims() -> usize {
    MAX_CLAIMS.get().max(1) as usize
}

/// Of how many entrypoints something is remembered.
pub fn max_entrypoints() -> usize {
    MAX_ENTRYPOINTS.get().max(1) as usize
}

/// How many named workers can be known at one time.
pub fn max_named_workers() -> usize {
    MAX_NAMED_WORKERS.get().max(1) as usize
}

/// How long a named worker keeps its claims after its last attached session has ended, microseconds.
pub fn attach_grace() -> i64 {
    i64::from(ATTACH_GRACE.get()) * 1000
}

/// How old a claim is when it is written down, microseconds.
pub fn receipt_after() -> i64 {
    i64::from(RECEIPT_AFTER.get()) * 1000
}

/// How long a job rests after the second rollback of its claim, microseconds.
pub fn rollback_delay() -> i64 {
    i64::from(ROLLBACK_DELAY.get()) * 1000
}

/// How long rows of the log are kept, microseconds; `None` for ever.
pub fn log_retention() -> Option<i64> {
    retention(&LOG_RETENTION)
}

/// How long a job is held as failed, microseconds; `None` for ever.
pub fn failed_retention() -> Option<i64> {
    retention(&FAILED_RETENTION)
}

fn retention(setting: &GucSetting<i32>) -> Option<i64> {
    Some(i64::from(setting.get()) * 1_000_000).filter(|kept| *kept > 0)
}

/// When commits that enqueued tell those who LISTEN.
pub fn notify() -> Notify {
    NOTIFY.get()
}

/// Whether background workers run.
pub fn enabled() -> bool {
    ENABLED.get()
}

/// Whether background workers look after a database of this name.
pub fn serves_database(name: &str) -> bool {
    let list = DATABASES.get().unwrap_or_default();
    let list = list.to_string_lossy();
    list.trim().is_empty()
        || list.split(',').map(|one| one.trim().trim_matches('"')).any(|one| one == "*" || one == name)
}

/// How many background workers look after databases at one time.
pub fn max_background_workers() -> usize {
    MAX_BACKGROUND_WORKERS.get().max(1) as usize
}
