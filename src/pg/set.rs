//! A set-returning function's result, written row by row to where PostgreSQL reads it.

use crate::error::Error;
use pgrx::callconv::{Arg, ArgAbi};
use pgrx::pg_sys;

/// The call under way. Only PostgreSQL makes one, for the duration of the call.
pub struct Call(pg_sys::FunctionCallInfo);

// The functions are declared by hand, in sql/schema: this is never written anywhere.
super::version::declared_by_hand!(Call, "internal");

// SAFETY: as pgrx does for FunctionCallInfo itself: not an argument, but what carries them.
unsafe impl<'fcx> ArgAbi<'fcx> for Call {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: passes on the pointer that the wrapper was called with.
        Self(unsafe { pg_sys::FunctionCallInfo::unbox_arg_unchecked(arg) })
    }

    fn is_virtual_arg() -> bool {
        true
    }
}

impl Call {
    pub(super) fn pointer(&self) -> pg_sys::FunctionCallInfo {
        self.0
    }
}

/// The result of the call under way.
pub struct Set {
    store: *mut pg_sys::Tuplestorestate,
    shape: pg_sys::TupleDesc,
}

impl Set {
    /// Begins the result of a function that stands in FROM.
    ///
    /// # Errors
    /// [`Error::NotInFrom`] in a select list: there PostgreSQL may stop reading half way, when everything is claimed.
    pub fn begin(call: &Call, function: &'static str) -> Result<Self, Error> {
        Self::begin_in(call, pg_sys::SetFunctionReturnMode::SFRM_Materialize_Preferred)
            .ok_or(Error::NotInFrom { function })?
    }

    /// Begins the result of a function that may stand in a select list, too.
    ///
    /// # Errors
    /// [`Error::Broken`] where nobody reads it.
    pub fn begin_anywhere(call: &Call) -> Result<Self, Error> {
        Self::begin_in(call, 0).ok_or_else(|| Error::Broken("the result is not read".to_owned()))?
    }

    /// `None` where the caller does not offer a store, or not in this way.
    fn begin_in(call: &Call, mode: u32) -> Option<Result<Self, Error>> {
        let fcinfo = call.0;
        // SAFETY: the call is under way. The executor sets resultinfo to a ReturnSetInfo or to null; set and shape live in the query's memory.
        unsafe {
            let info = (*fcinfo).resultinfo.cast::<pg_sys::ReturnSetInfo>();
            if info.is_null() || (*info).type_ != pg_sys::NodeTag::T_ReturnSetInfo {
                return None;
            }
            let modes = (*info).allowedModes as u32;
            if modes & pg_sys::SetFunctionReturnMode::SFRM_Materialize == 0 || modes & mode != mode {
                return None;
            }
            let mut shape = std::ptr::null_mut();
            pg_sys::get_call_result_type(fcinfo, std::ptr::null_mut(), &raw mut shape);
            if shape.is_null() {
                // A single column that is no row.
                shape = (*info).expectedDesc;
            }
            if shape.is_null() {
                return Some(Err(Error::Broken("the result has no row type".to_owned())));
            }
            let before = pg_sys::MemoryContextSwitchTo((*(*info).econtext).ecxt_per_query_memory);
            let shape = pg_sys::CreateTupleDescCopy(shape);
            let random = modes & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random != 0;
            let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
            pg_sys::MemoryContextSwitchTo(before);
            (*info).returnMode = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
            (*info).setResult = store;
            (*info).setDesc = shape;
            Some(Ok(Self { store, shape }))
        }
    }

    /// Adds a row; missing columns are NULL, surplus ones are dropped.
    pub fn put(&mut self, columns: &[Option<pg_sys::Datum>]) {
        // SAFETY: values and nulls have one element for each attribute of the shape; the row is copied.
        unsafe {
            let width = (*self.shape).natts as usize;
            let column = |i: usize| columns.get(i).copied().flatten();
            let mut values: Vec<pg_sys::Datum> = (0..width).map(|i| column(i).unwrap_or(0usize.into())).collect();
            let mut nulls: Vec<bool> = (0..width).map(|i| column(i).is_none()).collect();
            pg_sys::tuplestore_putvalues(self.store, self.shape, values.as_mut_ptr(), nulls.as_mut_ptr());
        }
    }
}
