//! The launcher: one background worker a server, connected to no database. It knows which databases there are and starts a
//! worker in those that need one.
//!
//! Which one comes next is decided in memory (`pgqueuer_core::claims`, `launch`). It sleeps until a database needs a worker,
//! and is told by commits, by workers that leave, and by commands that make databases.

use super::host::AFTER_FAILURE;
use crate::pg;
use crate::pg::service::{self, Woken, in_transaction};
use crate::pg::upgrade;
use crate::shmem::{self, memory, session};
use crate::{error, guc};
use pgqueuer_core::claims::{Launch, Relation};
use pgrx::bgworkers::{BackgroundWorkerBuilder, BgWorkerStartTime};
use pgrx::prelude::pg_guard;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::time::Duration;

/// How long the server waits until it starts the launcher again, should it end.
const RESTART: Duration = Duration::from_secs(1);

/// Asks the server for the launcher. On a standby it begins with the promotion; pg_upgrade wants nobody in the way.
pub fn init() {
    if upgrade::is_running() {
        return;
    }
    BackgroundWorkerBuilder::new("pgqueuer launcher")
        .set_type("pgqueuer launcher")
        .set_library("pgqueuer")
        .set_function("pgqueuer_launcher")
        .enable_spi_access()
        .set_start_time(BgWorkerStartTime::RecoveryFinished)
        .set_restart_time(Some(RESTART))
        .load();
}

/// Called by the server: the launcher's whole life.
#[pg_guard]
#[unsafe(no_mangle)]
pub extern "C-unwind" fn pgqueuer_launcher(_argument: pg_sys::Datum) {
    service::take_signals();
    service::enter_none();
    session::launches();
    let mut served = vec![];
    loop {
        let until = start_workers(&mut served);
        match service::sleep_until(until) {
            Woken::Look => {}
            Woken::Reloaded => {
                memory::change(|claims| claims.settings_changed());
            }
            Woken::Leave => service::come_back(),
        }
        memory::change(|claims| claims.place_may_be_free());
    }
}

/// Sees which databases there are, and returns those that are served, sorted; `None` where that failed.
fn look_around() -> Option<Vec<u32>> {
    let found = in_transaction(|| Ok(pg::database::all())).ok()?;
    let enabled = guc::enabled();
    let (mut all, mut served) = (Vec::with_capacity(found.len()), Vec::with_capacity(found.len()));
    for database in found {
        let is_served = enabled && database.is_served && guc::serves_database(&database.name);
        let relation = Relation { database: database.oid, table: 0 };
        memory::change(|claims| claims.found_database(relation, !is_served));
        all.push(database.oid);
        if is_served {
            served.push(database.oid);
        }
    }
    all.sort_unstable();
    served.sort_unstable();
    memory::change(|claims| claims.keep_databases(|database| all.binary_search(&database).is_ok()));
    Some(served)
}

/// Starts a worker wherever one is needed and there is a place. Returns until when to sleep.
fn start_workers(served: &mut Vec<u32>) -> i64 {
    let most = guc::max_background_workers();
    loop {
        let now = shmem::service::look_at_clock();
        let again = now.saturating_add(AFTER_FAILURE);
        match memory::change(|claims| claims.launch(now, most)) {
            Some(Launch::LookAround) => match look_around() {
                Some(found) => *served = found,
                None => {
                    memory::change(|claims| claims.look_around_at(again));
                }
            },
            Some(Launch::Start(database)) => start_in(database, served, now, again),
            Some(Launch::Sleep(until)) => {
                while let Some(database) = memory::change(|claims| claims.take_refused()).flatten() {
                    log_refusal(database);
                }
                return until;
            }
            None => return i64::MAX,
        }
    }
}

/// Starts a worker in a database, if it is one that is served; what cannot be done now is tried again at that time.
fn start_in(database: u32, served: &mut Vec<u32>, now: i64, again: i64) {
    let relation = Relation { database, table: 0 };
    // A session has used the queue in a database that came into being after the last look; or nobody can connect to it.
    if served.binary_search(&database).is_err() || memory::read(|claims| claims.has_failed(relation)) == Some(true) {
        match look_around() {
            Some(found) => *served = found,
            None => {
                memory::change(|claims| claims.start_put_off(relation, again));
                return;
            }
        }
    }
    // Otherwise the look has said so in memory.
    if served.binary_search(&database).is_err() {
        return;
    }
    // In a transaction, whose memory goes: each start takes some.
    let Ok(started) = in_transaction(|| Ok(start(database))) else {
        memory::change(|claims| claims.start_put_off(relation, again));
        return;
    };
    if started {
        memory::change(|claims| claims.start_granted());
    } else {
        memory::change(|claims| claims.start_refused(relation, now));
    }
}

/// Once for each database: `pgq.health` says it for as long as it is so.
fn log_refusal(database: u32) {
    let message =
        format!("pgqueuer has no background worker in database {database}: max_worker_processes are all taken");
    let hint = "Raise max_worker_processes and restart the server.";
    error::log(PgSqlErrorCode::ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, &message, hint);
}

/// False where the server has no place. Its end is told to the launcher by a signal, once its place is free.
fn start(database: u32) -> bool {
    let name = format!("pgqueuer worker of database {database}");
    BackgroundWorkerBuilder::new(&name)
        .set_type("pgqueuer worker")
        .set_library("pgqueuer")
        .set_function("pgqueuer_worker")
        .enable_spi_access()
        .set_argument(Some(pg_sys::Datum::from(database)))
        .set_restart_time(None)
        .set_notify_pid(pg::process())
        .load_dynamic()
        .is_ok()
}
