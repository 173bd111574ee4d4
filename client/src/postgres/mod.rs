//! The queue in a database.
//!
//! - [`session`]   whatever can run a statement
//! - [`statement`] the SQL, a file each
//! - [`produce`]   enqueue, status
//! - [`control`]   cancel, requeue, configure, schedule …
//! - [`consume`]   what a worker needs
//! - [`lend`]      connections of the pool
//! - [`connect`]   connections of our own: with notifications, and cancelable
//! - [`listen`]    hearing of jobs, for a worker
//! - [`notifications`] hearing of jobs, for whoever only looks
//! - [`complete`]  waiting for the end of jobs

mod complete;
mod connect;
mod consume;
mod control;
mod lend;
mod listen;
mod notifications;
mod produce;
mod session;
mod statement;

use crate::error::{Error, Result};
use connect::{Connect, Connector};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
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
/// its pool.
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
    pool: Pool,
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
        let config = connect::with_defaults(config);
        let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(config.clone(), tls.clone(), recycling);
        let pool = Pool::builder(manager).max_size(POOL_SIZE).runtime(Runtime::Tokio1);
        let pool = pool.wait_timeout(Some(STATEMENT_TIMEOUT)).build();
        let pool = pool.map_err(|error| Error::Option(format!("no pool can be made: {error}")))?;
        let direct = Arc::new(Connector { config, tls });
        Ok(Self { pool, direct, listens: true, statement_timeout: STATEMENT_TIMEOUT })
    }

    /// How many connections the pool holds at most, at least 1; 8 if not given. A worker uses up to 4 at one time.
    pub fn pool_size(self, connections: usize) -> Self {
        self.pool.resize(connections.max(1));
        self
    }

    /// A statement that takes longer counts as lost, and its connection is closed; 30 s if not given.
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.statement_timeout = timeout;
        self
    }

    /// Listens and waits through another address, without TLS: the server itself, where the first one is pgbouncer in
    /// transaction mode, which cannot carry LISTEN.
    ///
    /// # Errors
    /// [`Error::Option`] where the text cannot be read.
    pub fn listen_at(mut self, dsn: &str) -> Result<Self> {
        self.direct = Arc::new(Connector { config: connect::with_defaults(parse(dsn)?), tls: NoTls });
        Ok(self)
    }

    /// Never listens: workers look for jobs each [`poll_interval`](crate::WorkerBuilder::poll_interval), and learn of a
    /// cancellation by their heartbeat. For where only pgbouncer in transaction mode can be reached.
    pub fn without_listen(mut self) -> Self {
        self.listens = false;
        self
    }

    /// The pool, for statements of your own.
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
