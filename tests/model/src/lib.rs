//! The claim protocol of pgqueuer as models that a checker walks through, state by state, until there is no new one.
//!
//! Each model is a specification to read: its world, the steps that nothing can interrupt, what must always hold. A
//! [`fault::Fault`] takes one rule away; the tests see that the checker finds what happens then.
//!
//! - [`row`], [`claims`], [`notes`]  PostgreSQL's rows, the claim table, the transaction's list
//! - [`protocol`]                    claiming and ending, with transactions, subtransactions and the ends of sessions
//! - [`cursor`]                      finding jobs from where live rows begin
//! - [`waiting`]                     waking and sleeping
//! - [`restart`]                     receipts, and the first call of a new life
//! - [`check`]                       runs the checker and prints what it found

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "worlds are of fixed size, and a mistake in a model or a broken rule ends a test with a panic"
)]

pub mod check;
pub mod claims;
pub mod cursor;
pub mod fault;
pub mod notes;
pub mod protocol;
pub mod restart;
pub mod row;
pub mod waiting;
