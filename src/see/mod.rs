//! What memory shows, why a job is not running, and payloads to read. Plain reads of tables are SQL, in `sql/schema/060_seeing.sql`.

mod backlog;
mod claims;
mod explain;
mod family;
mod memory;
mod metrics;
mod payload;
