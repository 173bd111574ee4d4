//! Statements in transactions that end in time: a page that takes long is an error, never a load.

use crate::app::App;
use crate::failure::{Failure, Result};
use deadpool_postgres::{Client, Transaction};
use pgqueuer_client::Error;
use serde::de::DeserializeOwned;
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql, Type};

/// A parameter and its SQL type.
pub type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// For how long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// The SQL text of a file in `src/sql`.
#[macro_export]
macro_rules! sql {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/sql/", $name, ".sql"))
    };
}

/// A connection, for the time of one request.
pub struct Lent(Client);

impl App {
    pub async fn lend(&self) -> Result<Lent> {
        let lent = tokio::time::timeout(PATIENCE, self.queue.pool().get()).await;
        Ok(Lent(lent.map_err(|_| Failure::busy())?.map_err(Error::from)?))
    }
}

impl Lent {
    /// A transaction that reads. Dropped, it ends.
    pub async fn read(&mut self) -> Result<Transaction<'_>> {
        begin(&mut self.0, true).await
    }

    /// A transaction that changes what its commit finds changed.
    pub async fn write(&mut self) -> Result<Transaction<'_>> {
        begin(&mut self.0, false).await
    }
}

async fn begin(client: &mut Client, read_only: bool) -> Result<Transaction<'_>> {
    let transaction = client.build_transaction().read_only(read_only).start().await.map_err(Error::from)?;
    transaction.batch_execute(sql!("begin")).await.map_err(Error::from)?;
    Ok(transaction)
}

pub async fn commit(transaction: Transaction<'_>) -> Result<()> {
    Ok(transaction.commit().await.map_err(Error::from)?)
}

/// The rows of a statement.
pub async fn raw(transaction: &Transaction<'_>, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
    Ok(transaction.query_typed(sql, parameters).await.map_err(Error::from)?)
}

/// The rows of a statement whose only column is `row_to_json`.
pub async fn rows<T: DeserializeOwned>(
    transaction: &Transaction<'_>,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<Vec<T>> {
    let rows = raw(transaction, sql, parameters).await?;
    rows.iter().map(|row| Ok(row.try_get::<_, Json<T>>(0).map_err(Error::from)?.0)).collect()
}
