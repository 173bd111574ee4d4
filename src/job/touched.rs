//! Rows that somebody has touched: their xmax says that a transaction has locked them or tried to change them. One that is
//! still open has not decided: the row is passed over. One that has ended says nothing, once a newer snapshot still shows
//! the row with the same xmax.

use crate::error::Error;
use crate::{pg, statement};
use std::collections::{HashMap, HashSet};

/// Columns of `look.sql`: whether the job can be claimed, and who has touched its row.
pub const CLAIMABLE: i32 = 11;
/// See [`CLAIMABLE`].
pub const XMAX: i32 = 12;

/// What is known of touched rows. They must be looked at again, with a snapshot taken from now on.
#[derive(Default)]
pub struct Settled {
    /// The transaction that touched them has ended.
    over: HashMap<i64, u32>,
    /// This transaction has locked them: nobody else has.
    ours: HashSet<i64>,
}

impl Settled {
    /// Asks about rows, by id and xmax.
    ///
    /// # Errors
    /// [`Error::Broken`].
    pub fn of(touched: &[(i64, u32)]) -> Result<Self, Error> {
        let (open, over): (Vec<(i64, u32)>, Vec<_>) = touched.iter().partition(|(_, xmax)| pg::may_be_open(*xmax));
        let open: Vec<i64> = open.into_iter().map(|(id, _)| id).collect();
        // Several may share a lock, or it is our own: only trying tells.
        let ours = if open.is_empty() { vec![] } else { statement::UNLOCKED.bigs(&[open.into()])? };
        Ok(Self { over: over.into_iter().collect(), ours: ours.into_iter().collect() })
    }

    /// Whether nobody else has locked the row, as the second look saw it.
    pub fn is_free(&self, id: i64, xmax: u32) -> bool {
        xmax == 0 || self.over.get(&id) == Some(&xmax) || self.ours.contains(&id)
    }
}
