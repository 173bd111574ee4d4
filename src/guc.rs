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
    if preloading {
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
    }
}

/// The lease of a named worker that names none, microseconds.
pub fn default_lease() -> i64 {
    i64::from(DEFAULT_LEASE.get()) * 1000
}

/// How many jobs can be held at one time.
pub fn max_claims() -> usize {
    MAX_CLAIMS.get().max(1) as usize
}

/// Whether commits that enqueued tell those who LISTEN.
pub fn notifies() -> bool {
    NOTIFY.get() != Notify::Off
}
