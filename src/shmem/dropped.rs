//! Tables and databases that go: their claims end when the DROP commits, not before, because it may roll back.

use super::memory;
use super::transaction::{self, Then};
use crate::pg::version::callback;
use pgqueuer_core::claims::Relation;
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::prelude::pg_guard;
use std::ffi::{c_int, c_void};

static mut PREVIOUS: pg_sys::object_access_hook_type = None;

/// Registers the hook.
pub fn init() {
    // SAFETY: the server is starting; a hook that was there is called by ours.
    unsafe {
        PREVIOUS = pg_sys::object_access_hook;
        pg_sys::object_access_hook = callback!(on_access);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn on_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    part: c_int,
    argument: *mut c_void,
) {
    // SAFETY: the hook that was there before, called as PostgreSQL would have; its ERROR becomes a panic.
    unsafe {
        if let Some(previous) = PREVIOUS {
            pg_guard_ffi_boundary(|| previous(access, class, object, part, argument));
        }
    }
    if access != pg_sys::ObjectAccessType::OAT_DROP || part != 0 {
        return;
    }
    let gone = if class == pg_sys::RelationRelationId {
        Some(memory::relation(object))
            .filter(|gone| memory::read(|claims| claims.knows(*gone) || claims.serves(*gone)) == Some(true))
    } else if class == pg_sys::DatabaseRelationId {
        Some(Relation { database: object.into(), table: 0 })
    } else {
        None
    };
    // Without memory for the note the claims stay until their workers end: a DROP must not fail for that.
    if let Some(gone) = gone.filter(|_| transaction::reserve(1).is_ok()) {
        transaction::emptied(gone, Then::Forget);
    }
}
