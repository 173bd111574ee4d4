//! What the planner knows while it plans a statement of ours: that every table is large, and nothing else.
//!
//! A queue is empty now and holds a million jobs a minute later, with the same plan. An ANALYZE of an emptied queue says
//! "no rows", and a plan for no rows reads everything that comes afterwards, with each call. So sizes are given here, and
//! statistics withheld: plans depend on the indexes alone and are the same always.

use super::spi;
use super::version::{self, callback};
use pgrx::pg_sys;

/// Rows and pages that a table is planned with.
const ROWS: f64 = 1_000_000.0;
const PAGES: pg_sys::BlockNumber = 20_000;
/// Pages that an index is planned with.
const INDEX_PAGES: pg_sys::BlockNumber = 5_000;

// Called as they are: an ERROR must pass over the hooks.
unsafe extern "C-unwind" {
    fn get_rel_namespace(relation: pg_sys::Oid) -> pg_sys::Oid;
    fn get_namespace_oid(name: *const std::ffi::c_char, missing_ok: bool) -> pg_sys::Oid;
}

/// Whether a statement of ours is under way, and the table is of ours: one of a user's trigger is planned as ever.
///
/// # Safety
/// Inside a transaction.
unsafe fn is_ours(relation: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups; the name ends in NUL.
    spi::is_running() && unsafe { get_rel_namespace(relation) == get_namespace_oid(c"pgq".as_ptr(), true) }
}

static mut PREVIOUS_SIZE: pg_sys::get_relation_info_hook_type = None;
static mut PREVIOUS_STATISTICS: pg_sys::get_relation_stats_hook_type = None;

/// Registers the hooks.
pub fn init() {
    // SAFETY: the library is being loaded; hooks that were there are called by ours.
    unsafe {
        PREVIOUS_SIZE = pg_sys::get_relation_info_hook;
        pg_sys::get_relation_info_hook = callback!(size);
        PREVIOUS_STATISTICS = pg_sys::get_relation_stats_hook;
        pg_sys::get_relation_stats_hook = callback!(statistics);
    }
}

/// Every planning of the server passes here: an ERROR of another hook must pass as it is, over this frame, which has
/// nothing to be dropped.
unsafe extern "C-unwind" fn size(
    root: *mut pg_sys::PlannerInfo,
    relation: pg_sys::Oid,
    parent: bool,
    info: *mut pg_sys::RelOptInfo,
) {
    // SAFETY: what PostgreSQL passes; the list holds IndexOptInfo nodes.
    unsafe {
        if let Some(previous) = PREVIOUS_SIZE {
            previous(root, relation, parent, info);
        }
        if parent || !is_ours(relation) {
            return;
        }
        (*info).tuples = ROWS;
        (*info).pages = PAGES;
        (*info).allvisfrac = 0.0;
        let indexes = (*info).indexlist;
        let count = if indexes.is_null() { 0 } else { (*indexes).length };
        for place in 0..count {
            let index = version::nth(indexes, place).cast::<pg_sys::IndexOptInfo>();
            (*index).tuples = ROWS;
            (*index).pages = INDEX_PAGES;
            (*index).tree_height = 2;
        }
    }
}

/// As [`size`].
unsafe extern "C-unwind" fn statistics(
    root: *mut pg_sys::PlannerInfo,
    entry: *mut pg_sys::RangeTblEntry,
    column: pg_sys::AttrNumber,
    known: *mut pg_sys::VariableStatData,
) -> bool {
    // SAFETY: what PostgreSQL passes. True with no statistics means that there are none.
    unsafe {
        if (*entry).rtekind == pg_sys::RTEKind::RTE_RELATION && is_ours((*entry).relid) {
            (*known).statsTuple = std::ptr::null_mut();
            return true;
        }
        PREVIOUS_STATISTICS.is_some_and(|previous| previous(root, entry, column, known))
    }
}
