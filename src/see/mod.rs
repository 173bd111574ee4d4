//! What memory shows, and payloads to read. Plain reads of tables are SQL, in `sql/schema/060_seeing.sql`.

mod claims;
mod memory;
mod payload;
