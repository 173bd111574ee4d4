//! What `pgq.health()` says, row by row.

use crate::ask::run;
use crate::until::until;
use postgres::Client;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Whether it is well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
    /// What to do; empty where there is nothing.
    pub hint: String,
}

/// One row of `pgq.health()`.
#[track_caller]
pub fn health(session: &mut Client, check: &str) -> Row {
    row_of(session, "pgq.health()", check)
}

/// One row of one of the functions behind it, which take limits that a test can reach.
#[track_caller]
pub fn row_of(session: &mut Client, function: &str, check: &str) -> Row {
    let sql = format!("SELECT ok, coalesce(detail, ''), coalesce(hint, '') FROM {function} WHERE \"check\" = $1");
    let row = session.query_one(&sql, &[&check]).unwrap_or_else(|error| panic!("{function}, {check}: {error:?}"));
    Row { ok: row.get(0), detail: row.get(1), hint: row.get(2) }
}

/// Waits until a check is well or is not, and returns its row.
#[track_caller]
pub fn until_row(session: &mut Client, function: &str, check: &str, ok: bool) -> Row {
    let mut row = row_of(session, function, check);
    until(&format!("{check} becomes {ok}: {row:?}"), || {
        row = row_of(session, function, check);
        (row.ok == ok).then_some(())
    });
    row
}

/// Transactions that do nothing but grow old those before them.
pub fn pass_transactions(session: &mut Client, count: usize) {
    (0..count).for_each(|_| run(session, "SELECT txid_current()"));
}
