//! Hosts, ports, names and limits for the driver.

use super::passfile::{self, Login};
use super::words::Words;
use super::wrong;
use crate::error::{Error, Result};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{ChannelBinding, Host, LoadBalanceHosts, TargetSessionAttrs};

pub const PORT: u16 = 5432;
/// Where servers put their sockets: Debian's, then PostgreSQL's own default.
const SOCKET_FOLDERS: [&str; 2] = ["/var/run/postgresql", "/tmp"];

/// All but TLS.
///
/// # Errors
/// [`Error::Usage`] where no server is named and none runs here, or something cannot be understood.
pub fn config(words: &Words) -> Result<Config> {
    let mut config = Config::new();
    let (user, database) = names(words)?;
    config.user(&user).dbname(&database);
    add_hosts(words, &mut config)?;
    if let Some(password) = password(words, &config, &database, &user)? {
        config.password(password);
    }
    let name = words.get("application_name").or(words.get("fallback_application_name"));
    config.application_name(name.unwrap_or("pgq"));
    if let Some(options) = words.get("options") {
        config.options(options);
    }
    add_limits(words, &mut config)?;
    add_choice(words, &mut config)?;
    Ok(config)
}

/// The user, by default of this machine, and the database, by default of that name.
fn names(words: &Words) -> Result<(String, String)> {
    let user = match words.get("user") {
        Some(user) => user.to_owned(),
        None => whoami::username().map_err(|_| wrong("no user is named, and this process has no name"))?,
    };
    let database = words.get("dbname").unwrap_or(&user).to_owned();
    Ok((user, database))
}

fn add_hosts(words: &Words, config: &mut Config) -> Result<()> {
    let (hosts, addresses) = (split(words, "host"), split(words, "hostaddr"));
    let count = hosts.len().max(addresses.len()).max(1);
    let ports = ports(words)?;
    if (!hosts.is_empty() && !addresses.is_empty() && hosts.len() != addresses.len())
        || (ports.len() > 1 && ports.len() != count)
    {
        return Err(wrong("there must be as many of host, of hostaddr and of port"));
    }
    for place in 0..count {
        let port = ports.get(place).or(ports.first()).copied().unwrap_or(PORT);
        let address = addresses.get(place).filter(|address| !address.is_empty());
        match hosts.get(place).filter(|host| !host.is_empty()).or(address) {
            Some(host) => config.host(*host),
            None => config.host_path(socket_folder(port)?),
        };
        config.port(port);
    }
    for address in addresses {
        config.hostaddr(address.parse::<IpAddr>().map_err(|_| wrong("hostaddr is no IP address"))?);
    }
    Ok(())
}

fn split<'a>(words: &'a Words, word: &str) -> Vec<&'a str> {
    words.get(word).into_iter().flat_map(|all| all.split(',')).collect()
}

fn ports(words: &Words) -> Result<Vec<u16>> {
    // What stands there may be the end of a password: it is not repeated.
    let read = |port: &str| match port.trim() {
        "" => Ok(PORT),
        port => {
            port.parse().ok().filter(|port| *port > 0).ok_or_else(|| wrong("the port is no number from 1 to 65535"))
        }
    };
    split(words, "port").into_iter().map(read).collect()
}

/// Where the socket of a server of this machine is.
fn socket_folder(port: u16) -> Result<&'static Path> {
    let folder = SOCKET_FOLDERS.iter().map(Path::new).find(|folder| folder.join(format!(".s.PGSQL.{port}")).exists());
    folder.ok_or_else(|| {
        Error::usage(
            "no server is named, and this machine has none at its usual place",
            "Pass --dsn postgresql://user@host/database, or set PGQUEUER_DSN or PGHOST.",
        )
    })
}

/// The one that was said, or that of the password file.
fn password(words: &Words, config: &Config, database: &str, user: &str) -> Result<Option<String>> {
    if let Some(password) = words.get("password") {
        return Ok(Some(password.to_owned()));
    }
    let lines = passfile::lines(words);
    let mut found = config.get_hosts().iter().zip(config.get_ports()).map(|(host, port)| {
        let host = name_in_passfile(host);
        passfile::find(&lines, &Login { host: &host, port: *port, database, user })
    });
    let first = found.next().flatten();
    if found.any(|other| other != first) {
        return Err(wrong("the password file has different passwords for these hosts: name one host"));
    }
    Ok(first)
}

/// A socket at its usual place is looked up as localhost.
fn name_in_passfile(host: &Host) -> String {
    match host {
        Host::Tcp(host) => host.clone(),
        Host::Unix(folder) if SOCKET_FOLDERS.iter().any(|usual| PathBuf::from(usual) == *folder) => "localhost".into(),
        Host::Unix(folder) => folder.display().to_string(),
    }
}

fn add_limits(words: &Words, config: &mut Config) -> Result<()> {
    // As libpq has it: 0 and less is for ever, 1 is 2.
    match words.number::<i64>("connect_timeout")? {
        Some(seconds @ 1..) => drop(config.connect_timeout(Duration::from_secs(seconds.max(2).unsigned_abs()))),
        Some(_) => drop(config.connect_timeout(Duration::from_secs(u64::from(u32::MAX)))),
        None => {}
    }
    if let Some(keepalives) = words.number::<u8>("keepalives")? {
        config.keepalives(keepalives != 0);
    }
    if let Some(seconds) = words.number("keepalives_idle")?.filter(|seconds| *seconds > 0) {
        config.keepalives_idle(Duration::from_secs(seconds));
    }
    if let Some(seconds) = words.number("keepalives_interval")?.filter(|seconds| *seconds > 0) {
        config.keepalives_interval(Duration::from_secs(seconds));
    }
    if let Some(count) = words.number("keepalives_count")?.filter(|count| *count > 0) {
        config.keepalives_retries(count);
    }
    if let Some(milliseconds) = words.number("tcp_user_timeout")?.filter(|milliseconds| *milliseconds > 0) {
        config.tcp_user_timeout(Duration::from_millis(milliseconds));
    }
    Ok(())
}

/// Which of several hosts.
fn add_choice(words: &Words, config: &mut Config) -> Result<()> {
    use TargetSessionAttrs::{Any, ReadOnly, ReadWrite};
    // The driver asks whether a session may write: a primary's may, unless somebody has forbidden it, and a standby's never.
    let wanted = [
        ("any", Any),
        ("read-write", ReadWrite),
        ("read-only", ReadOnly),
        ("primary", ReadWrite),
        ("standby", ReadOnly),
    ];
    if let Some(wanted) = words.one_of("target_session_attrs", &wanted)? {
        config.target_session_attrs(wanted);
    }
    let order = [("disable", LoadBalanceHosts::Disable), ("random", LoadBalanceHosts::Random)];
    if let Some(order) = words.one_of("load_balance_hosts", &order)? {
        config.load_balance_hosts(order);
    }
    let binding = [
        ("disable", ChannelBinding::Disable),
        ("prefer", ChannelBinding::Prefer),
        ("require", ChannelBinding::Require),
    ];
    if let Some(binding) = words.one_of("channel_binding", &binding)? {
        config.channel_binding(binding);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(dsn: &str) -> Result<Config> {
        config(&Words::of(dsn)?)
    }

    #[test]
    fn each_host_has_its_port() {
        let config = of("postgresql://h1:1,h2/d").unwrap();
        assert_eq!(config.get_ports(), [1, PORT]);
        assert_eq!(config.get_hosts(), [Host::Tcp("h1".into()), Host::Tcp("h2".into())]);
        assert_eq!(of("host=a,b port=7").unwrap().get_ports(), [7, 7]);
        assert!(of("host=a,b,c port=1,2").is_err());
        assert!(of("host=a hostaddr=::1,::2").is_err());
    }

    #[test]
    fn the_database_has_the_name_of_the_user() {
        let config = of("host=h user=me").unwrap();
        assert_eq!((config.get_user(), config.get_dbname()), (Some("me"), Some("me")));
    }

    #[test]
    fn a_wrong_word_is_named_and_a_port_is_not_repeated() {
        let said = |dsn| of(dsn).unwrap_err().to_string();
        assert!(said("host=h target_session_attrs=prefer-standby").contains("one of any, read-write"));
        assert!(said("host=h connect_timeout=soon").contains("connect_timeout"));
        assert!(!said("postgresql://u:secret/x").contains("secret"));
    }
}
