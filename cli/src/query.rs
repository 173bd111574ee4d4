//! SQL of the commands, a file each, whose rows come as JSON: `SELECT row_to_json(…)`.

use crate::error::Result;
use crate::output::Row;
use pgqueuer_client::{Error, Postgres};
use tokio_postgres::types::{Json, ToSql, Type};

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
    let rows = client.query_typed(sql, parameters).await.map_err(Error::from)?;
    let row = |row: &tokio_postgres::Row| Ok(row.try_get::<_, Json<Row>>(0).map_err(Error::from)?.0);
    rows.iter().map(row).collect()
}
