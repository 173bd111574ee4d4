//! Hearing of jobs and cancellations: LISTEN, and the tie between a worker and its session.

use super::connect::{Connection, lost};
use super::session::{Parameter, Session};
use super::{Postgres, statement};
use crate::backend::{Signal, Signals};
use crate::error::Result;
use async_trait::async_trait;
use serde::Deserialize;
use tokio::time::timeout;
use tokio_postgres::types::Type;
use uuid::Uuid;

impl Postgres {
    /// A connection that listens, and that the worker is attached to: when it ends, so do the worker's claims.
    pub(super) async fn listen(&self, worker: Uuid, entrypoints: &[String]) -> Result<Option<Box<dyn Signals>>> {
        if !self.listens {
            return Ok(None);
        }
        let listener = Listener { connection: self.direct.connect().await?, queue: self.clone(), worker };
        listener.attach().await?;
        let parameters: [Parameter; 1] = [(&entrypoints, Type::TEXT_ARRAY)];
        self.in_time(listener.connection.client.rows(&statement::LISTEN, &parameters)).await?;
        Ok(Some(Box::new(listener)))
    }
}

struct Listener {
    connection: Connection,
    queue: Postgres,
    worker: Uuid,
}

impl Listener {
    /// Again, it is a sign of life, and tells whether the connection is one still. And where the extension was made anew, the
    /// worker is attached to that.
    async fn attach(&self) -> Result<()> {
        self.queue.in_time(self.connection.client.rows(&statement::ATTACH, &[(&self.worker, Type::UUID)])).await?;
        Ok(())
    }
}

#[async_trait]
impl Signals for Listener {
    async fn next(&mut self) -> Result<Signal> {
        loop {
            match timeout(self.queue.statement_timeout, self.connection.notifications.recv()).await {
                Ok(Some(notification)) => return Ok(signal(notification.payload())),
                Ok(None) => return Err(lost()),
                // Nothing has happened, or nothing comes through any more, of which nobody tells whoever only listens.
                Err(_) => self.attach().await?,
            }
        }
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
