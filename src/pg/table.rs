//! Tables, sequences and views of schema `pgq`, and locks on them.

use crate::error::Error;
use pgrx::pg_sys;
use std::ffi::CStr;

/// The object identifier of a table, sequence or view in schema `pgq`.
///
/// # Errors
/// [`Error::Gone`] where it does not exist.
pub fn relation(name: &'static CStr) -> Result<pg_sys::Oid, Error> {
    // SAFETY: catalog look-ups of constant names; an unknown one gives InvalidOid.
    let oid = unsafe { pg_sys::get_relname_relid(name.as_ptr(), pg_sys::get_namespace_oid(c"pgq".as_ptr(), true)) };
    if oid == pg_sys::InvalidOid {
        return Err(Error::Gone { name: name.to_string_lossy().into_owned() });
    }
    Ok(oid)
}

/// Whether a table is that of the extension, and not one of the same name that somebody else has made.
pub fn is_ours(table: pg_sys::Oid) -> bool {
    // SAFETY: catalog look-ups; a missing extension gives InvalidOid, as does a table of none.
    unsafe {
        let extension = pg_sys::get_extension_oid(c"pgqueuer".as_ptr(), true);
        extension != pg_sys::InvalidOid && pg_sys::getExtensionOfObject(pg_sys::RelationRelationId, table) == extension
    }
}

/// Locks a table until the transaction ends, so that one session at a time does something; readers and writers go on.
///
/// # Errors
/// [`Error::Broken`] where it does not exist.
pub fn lock_alone(name: &'static CStr) -> Result<(), Error> {
    let oid = relation(name)?;
    // SAFETY: waits for who has it; takes part in the detection of deadlocks.
    unsafe { pg_sys::LockRelationOid(oid, pg_sys::ShareUpdateExclusiveLock as pg_sys::LOCKMODE) };
    Ok(())
}

/// Gives back what [`lock_alone`] took.
///
/// # Errors
/// [`Error::Gone`].
pub fn unlock_alone(name: &'static CStr) -> Result<(), Error> {
    let oid = relation(name)?;
    // SAFETY: locked by this transaction.
    unsafe { pg_sys::UnlockRelationOid(oid, pg_sys::ShareUpdateExclusiveLock as pg_sys::LOCKMODE) };
    Ok(())
}

/// Whether the open transaction has made this table.
pub fn is_made_here(table: u32) -> bool {
    // SAFETY: the relation is closed at once; one that does not exist gives null.
    unsafe {
        let open = pg_sys::RelationIdGetRelation(pg_sys::Oid::from(table));
        if open.is_null() {
            return false;
        }
        let made = (*open).rd_createSubid != 0;
        pg_sys::RelationClose(open);
        made
    }
}

/// As [`relation`], and locks it until the transaction ends: nobody drops it meanwhile, so the identifier stays true.
/// Waits for who drops it now, and then finds the one that was made in its place.
///
/// # Errors
/// [`Error::Gone`] where it does not exist.
pub fn lock_relation(name: &'static CStr) -> Result<pg_sys::Oid, Error> {
    let flags = pg_sys::RVROption::RVR_MISSING_OK;
    let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
    // SAFETY: the names are constant and end in NUL; PostgreSQL reads them only.
    let oid = unsafe {
        let range = pg_sys::makeRangeVar(c"pgq".as_ptr().cast_mut(), name.as_ptr().cast_mut(), -1);
        pg_sys::RangeVarGetRelidExtended(range, lock, flags, None, std::ptr::null_mut())
    };
    if oid == pg_sys::InvalidOid { relation(name) } else { Ok(oid) }
}
