//! What a background worker needs beside what sessions need.

use super::set;
use pgrx::pg_sys;
use std::ffi::CStr;

/// Begins the service of this background worker in a database: connects, and sees that its work never waits for others.
/// False where there is nothing to serve.
pub fn enter(database: u32) -> bool {
    pgrx::bgworkers::BackgroundWorker::connect_worker_to_spi_by_oid(Some(pg_sys::Oid::from(database)), None);
    for (name, value) in SERVICE {
        set(name, value);
    }
    // SAFETY: a flag of the server.
    unsafe { !pg_sys::IsBinaryUpgrade }
}

/// Settings of a background worker: what it writes can be lost with a crash and is written anew; it waits for no lock.
const SERVICE: [(&CStr, &CStr); 3] =
    [(c"synchronous_commit", c"off"), (c"lock_timeout", c"100ms"), (c"search_path", c"pg_catalog, pg_temp")];

/// Reads the configuration again.
pub fn reload_settings() {
    // SAFETY: between transactions, as every process does on SIGHUP.
    unsafe { pg_sys::ProcessConfigFile(pg_sys::GucContext::PGC_SIGHUP) };
}

/// Leaves, to be started again by the server after a moment.
pub fn come_back() {
    // SAFETY: runs the callbacks of the process's end; does not return. A code other than 0 asks for another start.
    unsafe { pg_sys::proc_exit(1) };
}
