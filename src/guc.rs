//! Every setting, with unit, range, context and default. `docs/settings.md` is compared with this file by a test.

use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting, PostgresGucEnum};

/// When a commit that enqueued jobs tells those who LISTEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PostgresGucEnum)]
pub enum Notify {
    /// One notification for a burst of commits.
    #[name = c"coalesced"]
    Coalesced,
    /// One notification with each commit.
    #[name = c"transactional"]
    Transactional,
    /// None.
    #[name = c"off"]
    Off,
}

static DEFAULT_LEASE: GucSetting<i32> = GucSetting::<i32>::new(30_000);
static MAX_CLAIMS: GucSetting<i32> = GucSetting::<i32>::new(32_768);
static MAX_ENTRYPOINTS: GucSetting<i32> = GucSetting::<i32>::new(2048);
static MAX_WORKERS: GucSetting<i32> = GucSetting::<i32>::new(1024);
static ATTACH_GRACE: GucSetting<i32> = GucSetting::<i32>::new(2_000);
static RECEIPT_AFTER: GucSetting<i32> = GucSetting::<i32>::new(1_000);
static ROLLBACK_DELAY: GucSetting<i32> = GucSetting::<i32>::new(100);
static NOTIFY: GucSetting<Notify> = GucSetting::<Notify>::new(Notify::Coalesced);

/// Registers the settings. `preloading` says whether the server is starting: what shared memory is sized by can be
/// set only then.
pub fn init(preloading: bool) {
    GucRegistry::define_int_guc(
        c"pgqueuer.default_lease",
        c"How long a sign of life of a named worker keeps its claims, where the call does not say.",
        c"",
        &DEFAULT_LEASE,
        100,
        i32::MAX,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_enum_guc(
        c"pgqueuer.notify",
        c"When a commit that enqueued jobs tells those who LISTEN.",
        c"",
        &NOTIFY,
        GucContext::Userset,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"pgqueuer.attach_grace",
        c"How long after the end of its last attached session a named worker keeps its claims.",
        c"A session says with pgq.attach that it belongs to a worker.",
        &ATTACH_GRACE,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"pgqueuer.receipt_after",
        c"How old a claim is when it is written down, to be known after a restart.",
        c"Claims that end sooner cost no write.",
        &RECEIPT_AFTER,
        0,
        i32::MAX,
        GucContext::Sighup,
        GucFlags::UNIT_MS,
    );
    GucRegistry::define_int_guc(
        c"pgqueuer.rollback_delay",
        c"How long a job rests whose claim was rolled back for the second time in a row; each further time doubles it.",
        c"0 hands it out again at once, always. At most a minute.",
        &ROLLBACK_DELAY,
        0,
        60_000,
        GucContext::Userset,
        GucFlags::UNIT_MS,
    );
    if preloading {
        init_sizes();
    }
}

/// What shared memory is sized by.
fn init_sizes() {
    GucRegistry::define_int_guc(
        c"pgqueuer.max_claims",
        c"How many jobs can be held at one time, in all databases of the server.",
        c"Sizes shared memory, some 400 bytes a claim. Where it is full, pgq.dequeue hands out less.",
        &MAX_CLAIMS,
        64,
        16_777_216,
        GucContext::Postmaster,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"pgqueuer.max_entrypoints",
        c"Of how many entrypoints the server remembers where their queues begin and counts what happens, in all databases.",
        c"Sizes shared memory, some 1500 bytes each. One too many takes the place of another, whose queue is then read from the start, and is counted without its name.",
        &MAX_ENTRYPOINTS,
        16,
        1_048_576,
        GucContext::Postmaster,
        GucFlags::default(),
    );
    GucRegistry::define_int_guc(
        c"pgqueuer.max_workers",
        c"How many named workers can be known at one time, in all databases.",
        c"Sizes shared memory, some 100 bytes each.",
        &MAX_WORKERS,
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
pub fn max_workers() -> usize {
    MAX_WORKERS.get().max(1) as usize
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

/// When commits that enqueued tell those who LISTEN.
pub fn notify() -> Notify {
    NOTIFY.get()
}
