//! The databases of the server.

use pgrx::pg_sys;
use std::ffi::CStr;

/// A database.
pub struct Database {
    /// Its object identifier.
    pub oid: u32,
    /// Its name.
    pub name: String,
    /// Whether one can connect to it, and it is no template: a connection to a template is in the way of those who copy it.
    pub is_served: bool,
}

/// All of them. Within a transaction; needs no connection to a database.
pub fn all() -> Vec<Database> {
    let mut found = Vec::new();
    // SAFETY: a scan of a shared catalog; a tuple lives until the next one is read, and its fixed part has the layout that its
    // type says.
    unsafe {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let catalog = pg_sys::table_open(pg_sys::DatabaseRelationId, lock);
        let scan = pg_sys::systable_beginscan(
            catalog,
            pg_sys::InvalidOid,
            false,
            std::ptr::null_mut(),
            0,
            std::ptr::null_mut(),
        );
        loop {
            let tuple = pg_sys::systable_getnext(scan);
            if tuple.is_null() {
                break;
            }
            let row = (*tuple).t_data.cast::<u8>().add(usize::from((*(*tuple).t_data).t_hoff));
            let row = &*row.cast::<pg_sys::FormData_pg_database>();
            let name = CStr::from_ptr(row.datname.data.as_ptr()).to_string_lossy().into_owned();
            // A limit below -1 marks a database whose DROP was interrupted.
            let is_served = row.datallowconn && !row.datistemplate && row.datconnlimit >= -1;
            found.push(Database { oid: row.oid.into(), name, is_served });
        }
        pg_sys::systable_endscan(scan);
        pg_sys::table_close(catalog, lock);
    }
    found
}
