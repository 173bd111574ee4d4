//! The queue in a database.
//!
//! - [`session`]   whatever can run a statement
//! - [`statement`] the SQL, a file each
//! - [`produce`]   enqueue, status
//! - [`control`]   cancel, requeue, configure, schedule …
//! - [`consume`]   what a worker needs
//! - [`inspect`]   what tests look at
//! - [`lend`]      connections of the pool
//! - [`hosts`]     which server answers
//! - [`connect`]   connections: the pool's, and our own, with notifications and cancelable
//! - [`listen`]    hearing of jobs, for a worker
//! - [`notifications`] hearing of jobs, for whoever only looks
//! - [`complete`]  waiting for the end of jobs

mod complete;
mod connect;
mod consume;
mod control;
mod hosts;
mod inspect;
mod lend;
mod listen;
mod notifications;
mod produce;
mod session;
mod statement;

use crate::error::{Error, Result};
use connect::{Connect, Connector};
use deadpool_postgres::Pool;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Config, NoTls, Socket};

pub(crate) use consume::complete;
pub use notifications::Notifications;
pub use session::Session;

/// How many connections the pool holds at most, unless [`Postgres::pool_size`] says otherwise.
const POOL_SIZE: usize = 8;
/// How long a statement may take, unless [`Postgres::statement_timeout`] says otherwise.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// The queue in a database: a pool for statements, and connections of its own to listen and to wait.
///
/// Nothing connects before the first call. A lost connection is replaced by the next call; the clone of a `Postgres` shares
/// its pools.
///
/// ```no_run
/// # use pgqueuer_client::{NewJob, Postgres, Producer};
/// # async fn enqueue() -> Result<(), pgqueuer_client::Error> {
/// let queue = Postgres::new("postgres://app@127.0.0.1/shop")?;
/// queue.enqueue(NewJob::new("fetch").payload("hello world")).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Postgres {
    /// The user's: handlers that hold all of its connections do not hold up heartbeats.
    pool: Pool,
    /// For what this crate sends.
    calls: Pool,
    server: Arc<dyn Connect>,
    direct: Arc<dyn Connect>,
    listens: bool,
    statement_timeout: Duration,
}

impl Postgres {
    /// A queue at a URI (`postgres://user:password@host:port/database`) or a string of `keyword=value`, without TLS.
    ///
    /// # Errors
    /// [`Error::Option`] where the text cannot be read.
    pub fn new(dsn: &str) -> Result<Self> {
        Self::with_tls(parse(dsn)?, NoTls)
    }

    /// A queue of which the connections are made like this: TLS by `tokio-postgres-rustls`, `postgres-native-tls` or
    /// `postgres-openssl`. Of several hosts, `target_session_attrs=read-write` finds the primary.
    ///
    /// Where `config` says nothing, a connection attempt may take 10 s, and a peer that has vanished is noticed within 30 s.
    ///
    /// # Errors
    /// [`Error::Option`] where it names no host, or no pool can be made of it.
    pub fn with_tls<T>(config: Config, tls: T) -> Result<Self>
    where
        T: MakeTlsConnect<Socket> + Clone + Sync + Send + 'static,
        T::Stream: Sync + Send,
        T::TlsConnect: Sync + Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(Error::Option("the address of the server names no host".into()));
        }
        let server = Arc::new(Connector { config: connect::with_defaults(config), tls });
        let (pool, calls) = (server.pool(POOL_SIZE)?, server.pool(POOL_SIZE)?);
        Ok(Self { pool, calls, direct: server.clone(), server, listens: true, statement_timeout: STATEMENT_TIMEOUT })
    }

    /// How many connections are held at most, at least 1, for the calls of this crate, and so many again for
    /// [yours](Self::pool); 8 if not given. A worker uses up to 4 at one time, and one more to listen.
    pub fn pool_size(mut self, connections: usize) -> Self {
        // Made anew: a pool that has not connected yet does not become smaller. What has made them once makes them again.
        if let (Ok(pool), Ok(calls)) = (self.server.pool(connections.max(1)), self.server.pool(connections.max(1))) {
            (self.pool, self.calls) = (pool, calls);
        }
        self
    }

    /// A statement that takes longer counts as lost, and its connection is closed; 30 s if not given.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Listens and waits through another address, without TLS: the server itself, where the first one is pgbouncer in
    /// transaction mode, which cannot carry LISTEN. Everything else goes through pgbouncer, and workers miss nothing.
    ///
    /// ```no_run
    /// # use pgqueuer_client::Postgres;
    /// # fn connect() -> Result<Postgres, pgqueuer_client::Error> {
    /// Postgres::new("postgres://app@127.0.0.1:6432/shop")?.listen_at("postgres://app@127.0.0.1:5432/shop")
    /// # }
    /// ```
    ///
    /// pgbouncer needs no other setting than `pool_mode = transaction`: no statement that this crate sends has a name. A
    /// worker takes up to 4 of its `max_client_conn`, and one session of the server to listen. What the address asks for
    /// with `options` must stand in `ignore_startup_parameters`.
    ///
    /// # Errors
    /// [`Error::Option`] where the text cannot be read.
    pub fn listen_at(mut self, dsn: &str) -> Result<Self> {
        self.direct = Arc::new(Connector { config: connect::with_defaults(parse(dsn)?), tls: NoTls });
        Ok(self)
    }

    /// Never listens: workers look for jobs each [`poll_interval`](crate::WorkerBuilder::poll_interval), and learn of a
    /// cancellation by their heartbeat, within a third of the lease. For where only pgbouncer in transaction mode can be
    /// reached.
    ///
    /// ```no_run
    /// # use pgqueuer_client::Postgres;
    /// # fn connect() -> Result<Postgres, pgqueuer_client::Error> {
    /// Ok(Postgres::new("postgres://app@127.0.0.1:6432/shop")?.without_listen())
    /// # }
    /// ```
    ///
    /// Each [`wait_for`](crate::Completion::wait_for) keeps one connection of pgbouncer's pool (`default_pool_size`) busy for
    /// as long as it waits, 30 s at a time; pgbouncer's `query_timeout`, where it is set, must be longer. One that is given
    /// up ends in the server when those are over, or after `client_connection_check_interval`, where that is set there.
    pub fn without_listen(mut self) -> Self {
        self.listens = false;
        self
    }

    /// A pool for statements of your own. It connects when you use it.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl fmt::Debug for Postgres {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Postgres").field("listens", &self.listens).finish_non_exhaustive()
    }
}

fn parse(dsn: &str) -> Result<Config> {
    dsn.parse().map_err(|error| Error::Option(format!("the address of the server cannot be read: {error}")))
}
