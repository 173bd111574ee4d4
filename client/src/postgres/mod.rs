//! The queue in a database.

/// The queue in a database.
#[derive(Debug)]
pub struct Postgres;
