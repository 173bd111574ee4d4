//! Whatever can run a statement: clients, transactions and pools.

use super::statement::Statement;
use crate::error::{Error, Result};
use async_trait::async_trait;
use tokio_postgres::Row;
use tokio_postgres::types::{ToSql, Type};

/// A parameter and its SQL type.
pub(crate) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A client, a transaction or a pool, of `tokio-postgres` or `deadpool-postgres`. [`Producer`](crate::Producer) and
/// [`Control`](crate::Control) are implemented for each of them.
///
/// Statements go out with the types of their parameters and without a name, in one message: pgbouncer in transaction mode
/// can carry them.
#[async_trait]
pub trait Session: sealed::Sealed + Send + Sync {
    #[doc(hidden)]
    async fn rows(&self, statement: &Statement, parameters: &[Parameter<'_>]) -> Result<Vec<Row>>;
}

mod sealed {
    pub trait Sealed {}
}

/// Each of these has `query_typed`.
macro_rules! session {
    ($($type:ty),*) => { $(
        impl sealed::Sealed for $type {}

        #[async_trait]
        impl Session for $type {
            async fn rows(&self, statement: &Statement, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
                Ok(self.query_typed(statement.0, parameters).await?)
            }
        }
    )* };
}

session!(
    tokio_postgres::Client,
    tokio_postgres::Transaction<'_>,
    deadpool_postgres::Client,
    deadpool_postgres::Transaction<'_>
);

impl sealed::Sealed for deadpool_postgres::Pool {}

#[async_trait]
impl Session for deadpool_postgres::Pool {
    async fn rows(&self, statement: &Statement, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        self.get().await?.rows(statement, parameters).await
    }
}

impl sealed::Sealed for super::Postgres {}

#[async_trait]
impl Session for super::Postgres {
    async fn rows(&self, statement: &Statement, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        let lent = self.lend().await?;
        let rows = self.in_time(lent.client()?.rows(statement, parameters)).await;
        // What passes by itself may be the server's end, or its being a standby: another connection may have another.
        if !rows.as_ref().is_err_and(Error::is_transient) {
            lent.give_back();
        }
        rows
    }
}

/// The value of the column at `index`.
pub(crate) fn column<'a, T: tokio_postgres::types::FromSql<'a>>(row: &'a Row, index: usize) -> Result<T> {
    Ok(row.try_get(index)?)
}

/// The first column of the only row.
pub(crate) fn only<T: for<'a> tokio_postgres::types::FromSql<'a>>(rows: &[Row]) -> Result<T> {
    let none = || Error::Answer("no row came back".into());
    column(rows.first().ok_or_else(none)?, 0)
}

/// The first column of every row.
pub(crate) fn ids(rows: &[Row]) -> Result<Vec<i64>> {
    rows.iter().map(|row| column(row, 0)).collect()
}
