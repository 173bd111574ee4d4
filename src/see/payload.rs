//! Payloads to read.

use crate::pg;
use crate::pg::argument::Raw;
use pgrx::prelude::pg_extern;

/// A payload as text; `None` where it is not UTF-8, or holds the byte 0, which text cannot.
#[pg_extern(sql = false)]
fn payload_text(payload: &[u8]) -> Option<&str> {
    std::str::from_utf8(payload).ok().filter(|text| !text.contains('\0'))
}

/// A payload as JSON; `None` where it is none.
#[pg_extern(sql = false)]
fn payload_json(payload: &[u8]) -> Option<Raw> {
    payload_text(payload).and_then(pg::parse_json).map(Raw)
}
