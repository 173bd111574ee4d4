//! What tests say to a session, in a few words. A statement that fails, or answers in another shape, ends the test.

use postgres::error::DbError;
use postgres::types::{FromSqlOwned, ToSql};
use postgres::{Error, GenericClient};

/// Parameters of a statement.
pub type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

/// The first column of the only row.
#[track_caller]
pub fn value<T: FromSqlOwned>(session: &mut impl GenericClient, sql: &str, parameters: Parameters) -> T {
    session.query_one(sql, parameters).unwrap_or_else(|error| panic!("{sql}: {error:?}")).get(0)
}

/// The first column of every row.
#[track_caller]
pub fn column<T: FromSqlOwned>(session: &mut impl GenericClient, sql: &str, parameters: Parameters) -> Vec<T> {
    let rows = session.query(sql, parameters).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    rows.iter().map(|row| row.get(0)).collect()
}

/// Runs statements that return nothing of interest.
#[track_caller]
pub fn run(session: &mut impl GenericClient, sql: &str) {
    session.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// The error that a statement must end with.
#[track_caller]
pub fn refused<T>(result: Result<T, Error>) -> DbError {
    let error = result.err().expect("the statement is refused");
    error.as_db_error().unwrap_or_else(|| panic!("the server says why: {error:?}")).clone()
}

/// The ids of up to `most` jobs of `entrypoint` that this session claims, in their order.
#[track_caller]
pub fn dequeue(session: &mut impl GenericClient, entrypoint: &str, most: i32) -> Vec<i64> {
    column(session, "SELECT id FROM pgq.dequeue(ARRAY[$1::text], $2)", &[&entrypoint, &most])
}

/// Those of `ids` that this session really completed.
#[track_caller]
pub fn complete(session: &mut impl GenericClient, ids: &[i64]) -> Vec<i64> {
    value(session, "SELECT pgq.complete_many($1)", &[&ids])
}

/// The ids of `count` new jobs of `entrypoint`, which carry their number as payload.
#[track_caller]
pub fn enqueue(session: &mut impl GenericClient, entrypoint: &str, count: i32) -> Vec<i64> {
    let sql = "SELECT pgq.enqueue_many_text(ARRAY[$1::text], ARRAY(SELECT i::text FROM generate_series(1, $2) AS i))";
    value(session, sql, &[&entrypoint, &count])
}

/// How many claims the database's memory has.
#[track_caller]
pub fn claims(session: &mut impl GenericClient) -> i64 {
    value(session, "SELECT count(*) FROM pgq.jobs WHERE status = 'picked'", &[])
}

/// The session's process in the server.
#[track_caller]
pub fn process(session: &mut impl GenericClient) -> i32 {
    value(session, "SELECT pg_backend_pid()", &[])
}
