//! Connections of the pool, lent for some calls.

use super::Postgres;
use super::connect::lost;
use crate::error::{Error, Result};
use std::future::Future;
use tokio_postgres::Client;

/// A connection of the pool. Unless it is [given back](Self::give_back) it is closed: nobody knows what it is doing.
pub(super) struct Lent(Option<deadpool_postgres::Client>);

impl Lent {
    pub(super) fn client(&self) -> Result<&Client> {
        let client: &deadpool_postgres::ClientWrapper = self.0.as_ref().ok_or_else(lost)?;
        Ok(client)
    }

    /// The next one may have it.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(client) = self.0.take() {
            drop(deadpool_postgres::Client::take(client));
        }
    }
}

impl Postgres {
    /// One that is well, within the time of its making.
    pub(super) async fn lend(&self) -> Result<Lent> {
        Ok(Lent(Some(self.calls.get().await?)))
    }

    /// The answer of a call, if it comes within the statement timeout.
    pub(super) async fn in_time<T, E: Into<Error>>(&self, call: impl Future<Output = Result<T, E>>) -> Result<T> {
        match tokio::time::timeout(self.statement_timeout, call).await {
            Ok(answer) => answer.map_err(Into::into),
            Err(_) => Err(Error::Timeout(self.statement_timeout)),
        }
    }
}
