//! What is told on the channels of entrypoints, for whoever only looks.

use super::connect::{Connection, lost};
use super::session::{Session, column};
use super::{Postgres, statement};
use crate::error::Result;
use tokio_postgres::Notification;
use tokio_postgres::types::Type;

/// A connection that listens (`pgq.listen`). It holds no jobs; dropped, it is closed.
pub struct Notifications(Connection);

impl std::fmt::Debug for Notifications {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notifications").finish_non_exhaustive()
    }
}

impl Postgres {
    /// A connection of its own that hears nothing until it is told of [entrypoints](Notifications::listen). `None` after
    /// [`without_listen`](Self::without_listen).
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn notifications(&self) -> Result<Option<Notifications>> {
        if !self.listens {
            return Ok(None);
        }
        Ok(Some(Notifications(self.direct.connect().await?)))
    }
}

impl Notifications {
    /// Listens to these entrypoints, too. Returns the names of their channels.
    ///
    /// # Errors
    /// `25006` on a standby; those of the connection.
    pub async fn listen(&self, entrypoints: &[String]) -> Result<Vec<String>> {
        let rows = self.0.client.rows(&statement::LISTEN, &[(&entrypoints, Type::TEXT_ARRAY)]).await?;
        rows.iter().map(|row| column(row, 0)).collect()
    }

    /// The next one: an empty payload for jobs, `{"event": "canceled", "ids": […]}` for canceled ones. May be dropped
    /// while it waits.
    ///
    /// # Errors
    /// Once the connection is gone.
    pub async fn next(&mut self) -> Result<Notification> {
        self.0.notifications.recv().await.ok_or_else(lost)
    }
}
