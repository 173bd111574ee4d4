//! Hearing of jobs and cancellations: LISTEN, and the tie between a worker and its session.

use super::connect::{Connection, lost};
use super::session::Session;
use super::{Postgres, statement};
use crate::backend::{Signal, Signals};
use crate::error::Result;
use async_trait::async_trait;
use serde::Deserialize;
use tokio_postgres::types::Type;
use uuid::Uuid;

impl Postgres {
    /// A connection that listens, and that the worker is attached to: when it ends, so do the worker's claims.
    pub(super) async fn listen(&self, worker: Uuid, entrypoints: &[String]) -> Result<Option<Box<dyn Signals>>> {
        if !self.listens {
            return Ok(None);
        }
        let connection = self.direct.connect().await?;
        connection.client.rows(&statement::ATTACH, &[(&worker, Type::UUID)]).await?;
        connection.client.rows(&statement::LISTEN, &[(&entrypoints, Type::TEXT_ARRAY)]).await?;
        Ok(Some(Box::new(Listener(connection))))
    }
}

struct Listener(Connection);

#[async_trait]
impl Signals for Listener {
    async fn next(&mut self) -> Result<Signal> {
        let notification = self.0.notifications.recv().await.ok_or_else(lost)?;
        Ok(signal(notification.payload()))
    }
}

/// What a notification says. One that cannot be read may be of a later version: a look for jobs does no harm.
fn signal(payload: &str) -> Signal {
    #[derive(Deserialize)]
    struct Message {
        event: String,
        #[serde(default)]
        ids: Vec<i64>,
    }
    match serde_json::from_str::<Message>(payload) {
        Ok(message) if message.event == "canceled" => Signal::Canceled(message.ids),
        _ => Signal::Work,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_that_cannot_be_read_is_a_reason_to_look() {
        assert_eq!(signal(r#"{"event":"canceled","ids":[1,2]}"#), Signal::Canceled(vec![1, 2]));
        for payload in ["", "{", r#"{"event":"later","ids":[1]}"#, r#"{"event":"canceled","ids":"x"}"#] {
            assert_eq!(signal(payload), Signal::Work);
        }
    }
}
