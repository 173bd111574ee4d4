//! Where the claim table lies, and the lock over it.

use crate::pg::version::{self, callback};
use crate::{guc, pg};
use pgqueuer_core::claims::{Carve, Claims, Latches, Layout, Relation, Sizing};
use pgrx::pg_sys;
use pgrx::pg_sys::ffi::pg_guard_ffi_boundary;
use pgrx::prelude::pg_guard;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// The memory, mapped at the same address in every process; null where the library is not preloaded.
static MEMORY: AtomicPtr<u8> = AtomicPtr::new(null_mut());
static LOCK: AtomicPtr<pg_sys::LWLock> = AtomicPtr::new(null_mut());
/// Changes with the layout, so that a library of another version does not mistake old memory for its own.
const NAME: &std::ffi::CStr = c"pgqueuer claims 4";
const TRANCHE: &std::ffi::CStr = c"pgqueuer";

static mut PREVIOUS_STARTUP: pg_sys::shmem_startup_hook_type = None;

/// Asks for the memory and the lock.
pub fn init() {
    // SAFETY: the server is starting; it has one process and one thread. Hooks that were there are called by ours.
    unsafe {
        version::request_memory(request);
        PREVIOUS_STARTUP = pg_sys::shmem_startup_hook;
        pg_sys::shmem_startup_hook = callback!(startup_hook);
    }
}

fn sizing() -> Sizing {
    // SAFETY: settings are read before libraries are preloaded.
    let connections = unsafe { pg_sys::MaxConnections }.max(0) as usize;
    let claims = guc::max_claims();
    // Background workers may claim, too: some places more than connections.
    Sizing {
        claims,
        sessions: connections + 64,
        named: guc::max_named_workers(),
        rates: (claims / 8).max(1024),
        heads: guc::max_entrypoints(),
        databases: 1024,
    }
}

fn request() {
    // SAFETY: called where PostgreSQL lets libraries ask for shared memory.
    unsafe {
        pg_sys::RequestAddinShmemSpace(Layout::bytes(sizing()) + Layout::ALIGN);
        pg_sys::RequestNamedLWLockTranche(TRANCHE.as_ptr(), 1);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn startup_hook() {
    // SAFETY: called by the postmaster alone, once for each life of shared memory; afterwards every process inherits
    // the addresses. What was asked for is there, or PostgreSQL does not start.
    unsafe {
        if let Some(previous) = PREVIOUS_STARTUP {
            pg_guard_ffi_boundary(|| previous());
        }
        let mut found = false;
        let base = pg_sys::ShmemInitStruct(NAME.as_ptr(), Layout::bytes(sizing()) + Layout::ALIGN, &raw mut found);
        let base = base.cast::<u8>();
        let base = base.add(base.align_offset(Layout::ALIGN));
        if !found {
            std::ptr::write_bytes(base, 0, Layout::bytes(sizing()));
        }
        MEMORY.store(base, Ordering::Relaxed);
        LOCK.store(&raw mut (*pg_sys::GetNamedLWLockTranche(TRANCHE.as_ptr())).lock, Ordering::Relaxed);
        if let (false, Some(mut claims)) = (found, view()) {
            claims.start(u64::from_ne_bytes(pg::random()));
        }
    }
}

/// Whether the library is preloaded.
pub fn is_there() -> bool {
    !MEMORY.load(Ordering::Relaxed).is_null()
}

/// Changes the claim table, and then sets the latches of those who must hear of it. `None` where the library is not preloaded.
///
/// `act` holds the lock: it allocates nothing, raises nothing and calls nothing of PostgreSQL.
pub fn change<R>(act: impl FnOnce(&mut Claims<'_>) -> R) -> Option<R> {
    with(pg_sys::LWLockMode::LW_EXCLUSIVE, |claims| act(claims))
}

/// Reads the claim table, beside other readers. `None` where the library is not preloaded.
///
/// `look` holds the lock, as in [`change`].
pub fn read<R>(look: impl FnOnce(&Claims<'_>) -> R) -> Option<R> {
    with(pg_sys::LWLockMode::LW_SHARED, |claims| look(claims))
}

/// How many claims are ended under one hold of the lock.
const SLICE: usize = 16;

/// Does something to many claims, some under each hold of the lock: `step` is told how many at most, and returns how many
/// there were.
pub fn in_slices(step: impl Fn(&mut Claims<'_>, usize) -> usize) {
    while change(|claims| step(claims, SLICE)) == Some(SLICE) {}
}

/// How many slots a sweep looks at under one hold of the lock, usually.
pub const SWEEP: u32 = 256;

/// Goes through a table slice by slice: `step` returns the slot to go on from.
pub fn sweep(mut step: impl FnMut(&mut Claims<'_>, u32) -> Option<u32>) {
    let mut from = Some(0);
    while let Some(slot) = from {
        from = change(|claims| step(claims, slot)).flatten();
    }
}

/// The jobs table of this session's database.
pub fn relation(table: pg_sys::Oid) -> Relation {
    Relation { database: crate::pg::my_database(), table: table.into() }
}

fn with<R>(mode: pg_sys::LWLockMode::Type, act: impl FnOnce(&mut Claims<'_>) -> R) -> Option<R> {
    let lock = LOCK.load(Ordering::Relaxed);
    if lock.is_null() {
        return None;
    }
    // SAFETY: the lock lies in shared memory. It keeps other processes away from what `act` changes; in shared mode
    // `act` only reads (see `read`). The view does not outlive it: a panic would end the transaction, which releases it.
    unsafe {
        pg_sys::LWLockAcquire(lock, mode);
        let answer = view().map(|mut claims| (act(&mut claims), claims.latches));
        pg_sys::LWLockRelease(lock);
        answer.map(|(answer, mut latches)| {
            latches.iter().for_each(pg::set_latch);
            while latches.more {
                latches = remaining(lock);
                latches.iter().for_each(pg::set_latch);
            }
            answer
        })
    }
}

/// Latches for which there was no room.
///
/// # Safety
/// `lock` is the lock over the claim table, which the caller does not hold.
unsafe fn remaining(lock: *mut pg_sys::LWLock) -> Latches {
    // SAFETY: as in `with`.
    unsafe {
        pg_sys::LWLockAcquire(lock, pg_sys::LWLockMode::LW_EXCLUSIVE);
        let latches = view().map_or(Latches::NONE, |mut claims| {
            claims.unlatched();
            claims.latches
        });
        pg_sys::LWLockRelease(lock);
        latches
    }
}

/// # Safety
/// The caller holds the lock, or is alone.
unsafe fn view<'a>() -> Option<Claims<'a>> {
    let next = MEMORY.load(Ordering::Relaxed);
    if next.is_null() { None } else { Claims::view(sizing(), &mut Pieces { next }) }
}

/// Pieces of the memory, one after the other.
struct Pieces {
    next: *mut u8,
}

impl<'a> Carve<'a> for Pieces {
    fn carve<T: Copy + Default>(&mut self, count: usize) -> &'a mut [T] {
        let start = self.next;
        // SAFETY: `Layout::bytes` counts the same pieces in the same order, each aligned for any of these types, and
        // no two overlap. All of them are plain words, for which zeroes are a valid value.
        unsafe {
            self.next = start.add(Layout::piece_bytes::<T>(count));
            std::slice::from_raw_parts_mut(start.cast::<T>(), count)
        }
    }
}
