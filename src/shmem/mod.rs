//! Shared memory: the claim table of `pgqueuer-core`, the one lock over it, and who may change it when.
//!
//! - [`memory`]      where it lies, and the lock: a leaf lock, held for microseconds, with no allocation, error, catalog
//!   or buffer access under it, so that a commit callback may take it
//! - [`transaction`] what a transaction has claimed and ended, carried out when it commits or forgotten when it does not
//! - [`note`]        one piece of that
//! - [`session`]     the session as a worker, and its end
//! - [`keepalive`]   what finds a peer that vanished
//! - [`command`]     DISCARD ALL, COMMIT PREPARED, DROP DATABASE
//! - [`dropped`]     tables and databases that go
//! - [`service`]     asks for the database's background worker
//!
//! All of it can be lost at any moment, and losing it is right: a server that lost its memory lost its sessions too.

pub mod command;
pub mod dropped;
mod keepalive;
pub mod memory;
mod note;
pub mod service;
pub mod session;
pub mod transaction;

/// Registers everything that must be there before the first session: called while the server starts.
pub fn init() {
    memory::init();
    transaction::init();
    command::init();
    dropped::init();
}
