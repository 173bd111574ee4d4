//! A queue in memory, with the rules of the one in the database.

/// A queue in memory.
#[derive(Debug, Default)]
pub struct Memory;
