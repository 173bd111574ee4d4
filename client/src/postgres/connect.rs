//! Connections outside the pool: those that hear notifications, and those that wait in a statement.

use crate::error::{Error, Result};
use async_trait::async_trait;
use futures_util::future::poll_fn;
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Notification, Socket};

/// The default of `tokio-postgres`: as good as none.
const NO_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// A connection, and what is told to it. The receiver ends when the connection does.
pub(super) struct Connection {
    pub client: Client,
    pub notifications: UnboundedReceiver<Notification>,
}

/// How connections are made, whatever their TLS.
#[async_trait]
pub(super) trait Connect: Send + Sync {
    async fn connect(&self) -> Result<Connection>;

    /// Cancels what a connection is doing; there is nobody left to tell of a failure.
    async fn cancel(&self, token: CancelToken);
}

pub(super) struct Connector<T> {
    pub config: Config,
    pub tls: T,
}

#[async_trait]
impl<T> Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    async fn connect(&self) -> Result<Connection> {
        let (client, mut connection) = self.config.connect(self.tls.clone()).await?;
        let (sender, notifications) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(notification) = message {
                    // Nobody may want to hear of it: the connection is still needed.
                    sender.send(notification).ok();
                }
            }
        });
        Ok(Connection { client, notifications })
    }

    async fn cancel(&self, token: CancelToken) {
        if let Err(error) = token.cancel_query(self.tls.clone()).await {
            tracing::debug!(%error, "a wait could not be canceled: it ends at its timeout");
        }
    }
}

/// What a queue needs of its connections, where the user did not say.
pub(super) fn with_defaults(mut config: Config) -> Config {
    if config.get_application_name().is_none() {
        config.application_name("pgqueuer-client");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(Duration::from_secs(10));
    }
    // A listener sends nothing by itself: without these it would wait for ever for a server that has vanished.
    if config.get_keepalives_idle() == NO_KEEPALIVE {
        config
            .keepalives_idle(Duration::from_secs(10))
            .keepalives_interval(Duration::from_secs(5))
            .keepalives_retries(4);
    }
    if config.get_tcp_user_timeout().is_none() {
        config.tcp_user_timeout(Duration::from_secs(30));
    }
    config
}

/// The connection is gone.
pub(super) fn lost() -> Error {
    Error::Connection("the connection was closed".into())
}
