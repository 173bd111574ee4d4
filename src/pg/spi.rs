//! Statements with kept plans, run with the newest snapshot whatever the isolation level.

use crate::error::Error;
use pgrx::datum::{FromDatum, IntoDatum};
use pgrx::pg_sys;
use std::ffi::CString;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, Ordering};

/// A plan that lives as long as the process. A process has one thread, so the pointer is atomic only to be shareable.
pub struct Plan {
    pointer: AtomicPtr<pg_sys::_SPI_plan>,
}

/// A parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub struct Parameter(Option<pg_sys::Datum>);

impl Parameter {
    /// NULL of any type.
    pub const NULL: Self = Self(None);

    /// A timestamptz.
    pub fn time(time: crate::pg::Time) -> Self {
        Self(Some(time.into()))
    }

    /// A timestamptz[].
    pub fn times(times: impl Iterator<Item = Option<crate::pg::Time>>) -> Self {
        Self(Some(super::argument::array(times.map(|time| time.map(Into::into)), pg_sys::TIMESTAMPTZOID)))
    }

    /// A jsonb[].
    pub fn jsonbs(values: &[Option<super::argument::Raw>]) -> Self {
        Self(Some(super::argument::array(values.iter().map(|value| value.map(|raw| raw.0)), pg_sys::JSONBOID)))
    }
}

impl<T: IntoDatum> From<T> for Parameter {
    fn from(value: T) -> Self {
        Self(value.into_datum())
    }
}

/// Settings under which plans are made: every statement of ours is served by an index, also while the planner knows
/// nothing of a new or quickly growing table. A sequential scan in a kept plan would be a standstill at a million jobs.
const PLANNING: [(&std::ffi::CStr, &std::ffi::CStr); 8] = [
    (c"enable_seqscan", c"off"),
    (c"enable_bitmapscan", c"off"),
    (c"enable_hashjoin", c"off"),
    (c"enable_mergejoin", c"off"),
    (c"enable_indexscan", c"on"),
    (c"enable_indexonlyscan", c"on"),
    (c"enable_nestloop", c"on"),
    (c"jit", c"off"),
];

impl Plan {
    /// No plan yet: it is made by the first [`run`](Self::run).
    pub const fn new() -> Self {
        Self { pointer: AtomicPtr::new(null_mut()) }
    }

    /// Runs the statement and hands its rows to `read`. The rows live only that long.
    ///
    /// # Errors
    /// Those of `read`, and [`Error::Broken`] where PostgreSQL refuses the statement without an ERROR of its own.
    pub fn run<R>(
        &self,
        text: &str,
        types: &[pg_sys::Oid],
        parameters: &[Parameter],
        read: impl FnOnce(&Rows) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let mut values: Vec<pg_sys::Datum> = parameters.iter().map(|p| p.0.unwrap_or(0usize.into())).collect();
        let nulls: Vec<std::ffi::c_char> =
            parameters.iter().map(|p| if p.0.is_some() { b' ' } else { b'n' } as _).collect();
        // SAFETY: connect and finish are paired; an ERROR in between unwinds to the caller of the function, whose
        // abort cleans up. `values` and `nulls` have one element for each parameter. A snapshot taken now is newer
        // than anything published before; SPI copies it and, not being read-only, first makes our own changes visible.
        unsafe {
            if pg_sys::SPI_connect() != pg_sys::SPI_OK_CONNECT as i32 {
                return Err(Error::Broken("could not connect to SPI".to_owned()));
            }
            let _generic = GenericPlans::begin();
            let plan = self.prepared(text, types)?;
            let code = pg_sys::SPI_execute_snapshot(
                plan,
                values.as_mut_ptr(),
                nulls.as_ptr(),
                pg_sys::GetLatestSnapshot(),
                null_mut(),
                false,
                true,
                0,
            );
            if code < 0 {
                return Err(Error::Broken(format!("a statement failed with SPI code {code}")));
            }
            let rows = Rows { table: pg_sys::SPI_tuptable, count: pg_sys::SPI_processed as usize };
            let answer = read(&rows);
            pg_sys::SPI_finish();
            answer
        }
    }

    /// The plan, made or made again if it is missing or something it depends on has changed.
    ///
    /// # Safety
    /// SPI is connected.
    unsafe fn prepared(&self, text: &str, types: &[pg_sys::Oid]) -> Result<pg_sys::SPIPlanPtr, Error> {
        let plan = self.pointer.load(Ordering::Relaxed);
        // SAFETY: a kept plan is never freed.
        if !plan.is_null() && unsafe { pg_sys::SPI_plan_is_valid(plan) } {
            return Ok(plan);
        }
        // SAFETY: SPI is connected; the nest level takes the settings back, as does an abort; the cached plan is
        // released to the owner that SPI took it for.
        unsafe {
            let level = pg_sys::NewGUCNestLevel();
            for (name, value) in PLANNING {
                super::set_locally(name, value);
            }
            let plan = if plan.is_null() { self.prepare(text, types)? } else { plan };
            let cached = pg_sys::SPI_plan_get_cached_plan(plan);
            if !cached.is_null() {
                super::version::release_cached_plan(cached);
            }
            pg_sys::AtEOXact_GUC(true, level);
            Ok(plan)
        }
    }

    unsafe fn prepare(&self, text: &str, types: &[pg_sys::Oid]) -> Result<pg_sys::SPIPlanPtr, Error> {
        let text = CString::new(text).map_err(|_| Error::Broken("a statement contains NUL".to_owned()))?;
        let mut types = types.to_vec();
        // SAFETY: SPI is connected; text and types are copied into the plan, which is kept for ever.
        unsafe {
            let plan = pg_sys::SPI_prepare_cursor(
                text.as_ptr(),
                types.len() as i32,
                types.as_mut_ptr(),
                pg_sys::CURSOR_OPT_GENERIC_PLAN as i32,
            );
            if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
                return Err(Error::Broken("a statement cannot be prepared".to_owned()));
            }
            self.pointer.store(plan, Ordering::Relaxed);
            Ok(plan)
        }
    }
}

thread_local! {
    /// How many statements of ours are under way in this process.
    static RUNNING: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// Whether a statement of ours is under way.
pub fn is_running() -> bool {
    RUNNING.get() > 0
}

/// SPI for a procedure that commits in its middle.
pub struct Session {
    _private: (),
}

impl Session {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::Broken`] where that is not possible.
    pub fn begin() -> Result<Self, Error> {
        // SAFETY: `end` or the abort finishes it.
        let code = unsafe { pg_sys::SPI_connect_ext(pg_sys::SPI_OPT_NONATOMIC as i32) };
        if code == pg_sys::SPI_OK_CONNECT as i32 {
            Ok(Self { _private: () })
        } else {
            Err(Error::Broken("could not connect to SPI".to_owned()))
        }
    }

    /// Commits, and begins a new transaction, which has no snapshot.
    pub fn commit(&self) {
        // SAFETY: connected for it; nothing of the transaction is kept across. The second does nothing, but in 12 before 12.11
        // and 13 before 13.7, where the first leaves no transaction behind.
        unsafe {
            pg_sys::SPI_commit();
            pg_sys::SPI_start_transaction();
        }
    }

    /// Disconnects.
    pub fn end(self) {
        // SAFETY: connected.
        unsafe { pg_sys::SPI_finish() };
    }
}

/// While it lives, kept plans are used whatever `plan_cache_mode` the caller has set.
struct GenericPlans {
    before: std::ffi::c_int,
}

impl GenericPlans {
    fn begin() -> Self {
        // SAFETY: a setting of this process; put back when this ends, by an ERROR too.
        unsafe {
            let before = pg_sys::plan_cache_mode;
            pg_sys::plan_cache_mode = pg_sys::PlanCacheMode::PLAN_CACHE_MODE_FORCE_GENERIC_PLAN as std::ffi::c_int;
            RUNNING.set(RUNNING.get() + 1);
            Self { before }
        }
    }
}

impl Drop for GenericPlans {
    fn drop(&mut self) {
        // SAFETY: as in `begin`.
        unsafe { pg_sys::plan_cache_mode = self.before };
        RUNNING.set(RUNNING.get().saturating_sub(1));
    }
}

/// The rows of a statement.
pub struct Rows {
    table: *mut pg_sys::SPITupleTable,
    count: usize,
}

impl Rows {
    /// How many rows there are, or were changed.
    pub fn len(&self) -> usize {
        self.count
    }

    /// The rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Row> + '_ {
        let rows = if self.table.is_null() { 0 } else { self.count };
        // SAFETY: SPI_processed rows lie in the table, which lives until SPI_finish.
        (0..rows).map(|i| unsafe { Row { tuple: *(*self.table).vals.add(i), shape: (*self.table).tupdesc } })
    }

    /// The first row.
    pub fn first(&self) -> Option<Row> {
        self.iter().next()
    }

    /// Column 1 of every row.
    pub fn bigs(&self) -> Vec<i64> {
        self.iter().filter_map(|row| row.big(1)).collect()
    }
}

/// One row.
#[derive(Clone, Copy)]
pub struct Row {
    tuple: pg_sys::HeapTuple,
    shape: pg_sys::TupleDesc,
}

impl Row {
    /// A column, by its number from 1.
    pub fn datum(&self, column: i32) -> Option<pg_sys::Datum> {
        let mut is_null = true;
        // SAFETY: tuple and shape belong together and live until SPI_finish; a wrong number gives NULL.
        let datum = unsafe { pg_sys::SPI_getbinval(self.tuple, self.shape, column, &raw mut is_null) };
        (!is_null).then_some(datum)
    }

    /// A column of a type that Rust knows, copied.
    pub fn get<T: FromDatum>(&self, column: i32) -> Option<T> {
        // SAFETY: the statement's text fixes the type of the column.
        self.datum(column).and_then(|datum| unsafe { T::from_datum(datum, false) })
    }

    /// A bigint.
    pub fn big(&self, column: i32) -> Option<i64> {
        self.get(column)
    }

    /// An int.
    pub fn int(&self, column: i32) -> Option<i32> {
        self.get(column)
    }

    /// A transaction identifier; 0 for none.
    pub fn xid(&self, column: i32) -> u32 {
        self.datum(column).map_or(0, |datum| datum.value() as u32)
    }

    /// A boolean; NULL counts as false.
    pub fn is(&self, column: i32) -> bool {
        self.get(column).unwrap_or(false)
    }

    /// A text.
    pub fn text(&self, column: i32) -> Option<String> {
        self.get(column)
    }

    /// A timestamptz.
    pub fn time(&self, column: i32) -> Option<crate::pg::Time> {
        self.datum(column).map(|datum| datum.value() as i64)
    }

    /// A column of variable length, copied so that it outlives the statement.
    pub fn copy(&self, column: i32) -> Option<pg_sys::Datum> {
        // SAFETY: the value is passed by reference; the copy is made in the memory of the function's caller.
        self.datum(column).map(|datum| unsafe { pg_sys::SPI_datumTransfer(datum, false, -1) })
    }
}
