//! Looks that end in time: each a read-only transaction with limits of its own, on a connection that is given up where the
//! server says nothing. For commands that go on for months and are asked by programs.

use crate::error::Result;
use crate::output::Row;
use crate::query::{Parameter, read};
use crate::sql;
use deadpool_postgres::Object;
use pgqueuer_client::{Error, Postgres};
use std::time::Duration;
use tokio_postgres::Row as Answered;
use tokio_postgres::types::Type;

/// So much later than the server's own limit the connection is given up.
const GRACE: Duration = Duration::from_secs(1);

/// Where to look, and for how long at most.
#[derive(Debug, Clone)]
pub struct Looks {
    pub queue: Postgres,
    pub patience: Duration,
}

impl Looks {
    /// The rows of a query whose only column is `row_to_json`.
    pub async fn rows(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        read(&self.answer(sql, parameters, false).await?)
    }

    /// The same for a query of the log, whose times are in an index that knows pages only.
    pub async fn rows_of_log(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>> {
        read(&self.answer(sql, parameters, true).await?)
    }

    /// The text in the only column of the only row.
    pub async fn text(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Option<String>> {
        let rows = self.answer(sql, parameters, false).await?;
        Ok(rows.first().map(|row| row.try_get(0)).transpose().map_err(Error::from)?.flatten())
    }

    async fn answer(&self, sql: &str, parameters: &[Parameter<'_>], by_page: bool) -> Result<Vec<Answered>> {
        let answer = tokio::time::timeout(self.patience + GRACE, self.ask(sql, parameters, by_page)).await;
        Ok(answer.map_err(|_| Error::Timeout(self.patience))??)
    }

    async fn ask(&self, sql: &str, parameters: &[Parameter<'_>], by_page: bool) -> Result<Vec<Answered>, Error> {
        let mut lent = Lent(Some(self.queue.pool().get().await?));
        let Some(client) = lent.0.as_mut() else { return Ok(vec![]) };
        let transaction = client.build_transaction().read_only(true).start().await?;
        let limits: [Parameter; 2] =
            [(&format!("{}ms", self.patience.as_millis().max(1)), Type::TEXT), (&by_page, Type::BOOL)];
        transaction.query_typed(sql!("limits"), &limits).await?;
        let rows = transaction.query_typed(sql, parameters).await?;
        transaction.commit().await?;
        lent.give_back();
        Ok(rows)
    }
}

/// A connection of the pool. Dropped in the middle of something it is closed: the next one to get it would wait behind that.
struct Lent(Option<Object>);

impl Lent {
    fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        drop(self.0.take().map(Object::take));
    }
}
