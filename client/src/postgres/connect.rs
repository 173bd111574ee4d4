//! How connections are made: those of the pool, and those outside it, that hear notifications or wait in a statement.

use super::hosts::{self, CONNECT_TIMEOUT};
use crate::error::{Error, Result};
use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use futures_util::future::{BoxFuture, poll_fn};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{AsyncMessage, CancelToken, Client, Config, Notification, Socket};
use tokio_util::task::AbortOnDropHandle;

/// The default of `tokio-postgres`: as good as none.
const NO_KEEPALIVE: Duration = Duration::from_secs(2 * 60 * 60);

/// How long a call waits for a connection while all of a pool are in use.
const FREE_CONNECTION: Duration = Duration::from_secs(30);

/// A connection, and what is told to it. The receiver ends when the connection does, and the connection with this.
pub(super) struct Connection {
    pub client: Client,
    pub notifications: UnboundedReceiver<Notification>,
    /// It would wait for what the server still owes, perhaps for ever.
    _task: AbortOnDropHandle<()>,
}

/// Connections to one address, whatever their TLS.
#[async_trait]
pub(super) trait Connect: Send + Sync {
    /// A pool of at most so many, which makes them when they are needed.
    fn pool(&self, size: usize) -> Result<Pool>;

    /// One outside any pool.
    async fn connect(&self) -> Result<Connection>;

    /// Cancels what a connection is doing; there is nobody left to tell of a failure.
    async fn cancel(&self, token: CancelToken);
}

#[derive(Clone)]
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
    fn pool(&self, size: usize) -> Result<Pool> {
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_connect(self.config.clone(), self.clone(), recycling);
        let pool = Pool::builder(manager).max_size(size).runtime(Runtime::Tokio1).wait_timeout(Some(FREE_CONNECTION));
        pool.build().map_err(|error| Error::Option(format!("no pool can be made: {error}")))
    }

    async fn connect(&self) -> Result<Connection> {
        let (client, mut connection) = hosts::connect(&self.config, self.tls.clone()).await?;
        let (sender, notifications) = unbounded_channel();
        let task = tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(notification) = message {
                    // Nobody may want to hear of it: the connection is still needed.
                    sender.send(notification).ok();
                }
            }
        });
        Ok(Connection { client, notifications, _task: AbortOnDropHandle::new(task) })
    }

    async fn cancel(&self, token: CancelToken) {
        match timeout(CONNECT_TIMEOUT, token.cancel_query(self.tls.clone())).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a wait could not be canceled: it ends at its timeout"),
            Err(_) => tracing::debug!("a wait could not be canceled in time: it ends at its timeout"),
        }
    }
}

/// For the pool.
impl<T> deadpool_postgres::Connect for Connector<T>
where
    T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
    T::Stream: Sync + Send,
    T::TlsConnect: Sync + Send,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    fn connect(
        &self,
        config: &Config,
    ) -> BoxFuture<'_, std::result::Result<(Client, JoinHandle<()>), tokio_postgres::Error>> {
        let config = config.clone();
        Box::pin(async move {
            let (client, connection) = hosts::connect(&config, self.tls.clone()).await?;
            let task = tokio::spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%error, "a connection of the pool has ended");
                }
            });
            Ok((client, task))
        })
    }
}

/// What a queue needs of its connections, where the user did not say.
pub(super) fn with_defaults(mut config: Config) -> Config {
    if config.get_application_name().is_none() {
        config.application_name("pgqueuer-client");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
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
