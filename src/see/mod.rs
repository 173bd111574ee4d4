//! What memory shows, why a job is not running, and payloads to read. Plain reads of tables are SQL, in `sql/schema/060_seeing.sql`.

mod backlog;
mod claims;
mod explain;
mod memory;
mod payload;
