//! Where the server is, as libpq's programs find it: `--dsn`, then the service file, then libpq's variables, then defaults.
//!
//! - [`words`]       all of libpq's keywords, and what was said for each
//! - [`uri`], [`keyword`] the two ways to write them in one text
//! - [`service`]     the service file
//! - [`passfile`]    the password file
//! - [`address`]     hosts, ports, names and limits for the driver
//! - [`tls`]         what `sslmode` means
//! - [`verify`]      whether a certificate is the server's
//!
//! No error here repeats what may be a password.

mod address;
mod keyword;
mod passfile;
mod service;
mod tls;
mod uri;
mod verify;
mod words;

use crate::args::Global;
use crate::error::{Error, Result};
use pgqueuer_client::Postgres;
use std::fmt;
use std::future::poll_fn;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::config::Host;
use tokio_postgres::{AsyncMessage, Client, Config, Notification};
use tokio_postgres_rustls::MakeRustlsConnect;
use words::Words;

/// A server and database, and how to get there.
#[derive(Clone)]
pub struct Server {
    config: Config,
    tls: MakeRustlsConnect,
}

impl Server {
    /// The one that the arguments and the environment name. Nothing connects yet.
    ///
    /// # Errors
    /// [`Error::Usage`] where none is named, or something cannot be understood.
    pub fn named_by(global: &Global) -> Result<Self> {
        let words = Words::gathered(global.dsn.as_deref())?;
        let mut config = address::config(&words)?;
        let tls = tls::choose(&words, &mut config)?;
        Ok(Self { config, tls })
    }

    /// The queue in that database.
    ///
    /// # Errors
    /// [`Error::Queue`] where no pool can be made.
    pub fn queue(&self) -> Result<Postgres> {
        Ok(Postgres::with_tls(self.config.clone(), self.tls.clone())?)
    }

    /// The same server, another database.
    pub fn of_database(&self, name: &str) -> Self {
        let mut other = self.clone();
        other.config.dbname(name);
        other
    }

    /// The database's name.
    pub fn database(&self) -> &str {
        self.config.get_dbname().unwrap_or_default()
    }

    /// A connection of its own, and what is told to it. The receiver ends when the connection does.
    ///
    /// # Errors
    /// [`Error::Queue`] where there is no connection.
    pub async fn session(&self) -> Result<(Client, UnboundedReceiver<Notification>)> {
        let connected = self.config.connect(self.tls.clone()).await;
        let (client, mut connection) = connected.map_err(pgqueuer_client::Error::from)?;
        let (sender, notifications) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notification(notification) = message {
                    // Nobody may want to hear of it: the connection is still needed.
                    sender.send(notification).ok();
                }
            }
        });
        Ok((client, notifications))
    }
}

/// For errors: who was to be reached. Never the password.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ports = self.config.get_ports();
        for (place, host) in self.config.get_hosts().iter().enumerate() {
            let port = ports.get(place).or(ports.first()).copied().unwrap_or(address::PORT);
            let between = if place == 0 { "" } else { ", " };
            match host {
                Host::Tcp(host) => write!(f, "{between}{host} port {port}")?,
                Host::Unix(folder) => write!(f, "{between}{}/.s.PGSQL.{port}", folder.display())?,
            }
        }
        let (database, user) = (self.config.get_dbname(), self.config.get_user());
        write!(f, ", database {}, user {}", database.unwrap_or_default(), user.unwrap_or_default())
    }
}

/// The connection's text or the environment cannot be understood.
fn wrong(message: impl Into<String>) -> Error {
    Error::usage(
        message,
        "Write postgresql://user@host:port/database, or host=… port=… user=… dbname=…; in a URI, % and / and @ of a \
         password are %25, %2F and %40.",
    )
}
