//! SQL of the commands, a file each, whose rows come as JSON: `SELECT row_to_json(…)`.

use crate::error::Result;
use crate::output::Row;
use pgqueuer_client::{Error, Postgres};
use tokio_postgres::types::{FromSql, Json, ToSql, Type};
use tokio_postgres::{Client, Row as Answered};

/// A parameter and its SQL type.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// The SQL text of a file in `src/sql`.
#[macro_export]
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql/", $name, ".sql"))
    };
}

/// The rows of a query whose only column is `row_to_json`.
pub async fn rows(queue: &Postgres, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
    let client = queue.pool().get().await.map_err(Error::from)?;
    read(&client.query_typed(sql, parameters).await.map_err(Error::from)?)
}

/// The same for a query that only looks, and that must use the indexes whatever the statistics say: made while the queue was
/// empty, they would have ten million jobs read. Sentences of the server tell times in the zone of this machine.
pub async fn look(queue: &Postgres, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
    look_planned(queue, sql, parameters, false).await
}

/// The same for a query of the log, whose times are in an index that knows pages only.
pub async fn look_at_log(queue: &Postgres, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
    look_planned(queue, sql, parameters, true).await
}

async fn look_planned(queue: &Postgres, sql: &str, parameters: &[Parameter<'_>], by_page: bool) -> Result<Vec<Row>> {
    let mut client = queue.pool().get().await.map_err(Error::from)?;
    let transaction = client.build_transaction().read_only(true).start().await.map_err(Error::from)?;
    let planning: [Parameter; 2] = [(&zone(), Type::TEXT), (&by_page, Type::BOOL)];
    transaction.query_typed(sql!("planning"), &planning).await.map_err(Error::from)?;
    let rows = transaction.query_typed(sql, parameters).await.map_err(Error::from)?;
    transaction.commit().await.map_err(Error::from)?;
    read(&rows)
}

/// The only value of the only row.
pub async fn value<T>(queue: &Postgres, sql: &str, parameters: &[Parameter<'_>]) -> Result<T>
where
    T: for<'a> FromSql<'a>,
{
    let client = queue.pool().get().await.map_err(Error::from)?;
    value_from(&client, sql, parameters).await
}

/// The same on a connection of its own.
pub async fn value_from<T>(client: &Client, sql: &str, parameters: &[Parameter<'_>]) -> Result<T>
where
    T: for<'a> FromSql<'a>,
{
    let rows = client.query_typed(sql, parameters).await.map_err(Error::from)?;
    let none = || Error::Answer("no row came back".into());
    Ok(rows.first().ok_or_else(none)?.try_get(0).map_err(Error::from)?)
}

/// Runs a statement whose answer says nothing.
pub async fn run(queue: &Postgres, sql: &str, parameters: &[Parameter<'_>]) -> Result<()> {
    let client = queue.pool().get().await.map_err(Error::from)?;
    client.query_typed(sql, parameters).await.map_err(Error::from)?;
    Ok(())
}

/// The rows of an answer whose only column is `row_to_json`.
pub fn read(rows: &[Answered]) -> Result<Vec<Row>> {
    let row = |row: &Answered| Ok(row.try_get::<_, Json<Row>>(0).map_err(Error::from)?.0);
    rows.iter().map(row).collect()
}

/// The fixed offset of this machine's clock from UTC, as a time zone that every server knows, whatever zones it has. What
/// the server writes as text is told in it.
pub fn zone() -> String {
    let ahead = chrono::Local::now().offset().local_minus_utc();
    let (sign, opposite) = if ahead < 0 { ('-', '+') } else { ('+', '-') };
    let (hours, minutes) = (ahead.abs() / 3600, ahead.abs() / 60 % 60);
    // In POSIX's words, what is ahead of UTC is negative.
    format!("<{sign}{hours:02}{minutes:02}>{opposite}{hours:02}:{minutes:02}")
}
