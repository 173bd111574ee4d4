//! The hosts of an address, one after the other, each with its time.
//!
//! `tokio-postgres` tries them in order, too, but its `connect_timeout` ends with the TCP handshake. A server that stands still
//! accepts connections and says nothing: whoever is behind it in the list would never be asked.

use std::time::Duration;
use tokio::time::timeout;
use tokio_postgres::config::{Host, LoadBalanceHosts};
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::{Client, Config, Connection, Error, Socket};
use uuid::Uuid;

/// Where the address does not say.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A session with the first host that has one for us.
pub(super) async fn connect<T>(config: &Config, tls: T) -> Result<(Client, Connection<Socket, T::Stream>), Error>
where
    T: MakeTlsConnect<Socket> + Clone,
    <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
{
    let within = config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT);
    let mut last = None;
    let mut hosts = each(config);
    if config.get_load_balance_hosts() == LoadBalanceHosts::Random {
        hosts.sort_by_cached_key(|_| Uuid::new_v4());
    }
    for one in hosts {
        match timeout(within, one.connect(tls.clone())).await {
            Ok(Ok(session)) => return Ok(session),
            Ok(Err(error)) => last = Some(error),
            Err(_) => last = Some(Error::__private_api_timeout()),
        }
    }
    match last {
        Some(error) => Err(error),
        // There is no host, or there are not as many ports or addresses: it says so.
        None => config.connect(tls).await,
    }
}

/// The same address with each of its hosts alone. None where their number is not clear.
fn each(config: &Config) -> Vec<Config> {
    let (hosts, addresses, ports) = (config.get_hosts(), config.get_hostaddrs(), config.get_ports());
    let count = hosts.len().max(addresses.len());
    let fits = |length: usize, single: bool| length == 0 || length == count || (single && length == 1);
    if !(fits(hosts.len(), false) && fits(addresses.len(), false) && fits(ports.len(), true)) {
        return vec![];
    }
    (0..count).map(|place| alone(config, hosts.get(place), place)).collect()
}

fn alone(config: &Config, host: Option<&Host>, place: usize) -> Config {
    let mut one = without_hosts(config);
    match host {
        Some(Host::Tcp(name)) => _ = one.host(name),
        #[cfg(unix)]
        Some(Host::Unix(path)) => _ = one.host_path(path),
        None => {}
    }
    if let Some(address) = config.get_hostaddrs().get(place) {
        one.hostaddr(*address);
    }
    let ports = config.get_ports();
    if let Some(port) = ports.get(place).or(ports.first()) {
        one.port(*port);
    }
    one
}

/// Everything else.
fn without_hosts(config: &Config) -> Config {
    let mut copy = Config::new();
    if let Some(user) = config.get_user() {
        copy.user(user);
    }
    if let Some(password) = config.get_password() {
        copy.password(password);
    }
    if let Some(name) = config.get_dbname() {
        copy.dbname(name);
    }
    if let Some(options) = config.get_options() {
        copy.options(options);
    }
    if let Some(name) = config.get_application_name() {
        copy.application_name(name);
    }
    if let Some(timeout) = config.get_connect_timeout() {
        copy.connect_timeout(*timeout);
    }
    if let Some(timeout) = config.get_tcp_user_timeout() {
        copy.tcp_user_timeout(*timeout);
    }
    if let Some(interval) = config.get_keepalives_interval() {
        copy.keepalives_interval(interval);
    }
    if let Some(retries) = config.get_keepalives_retries() {
        copy.keepalives_retries(retries);
    }
    copy.keepalives(config.get_keepalives()).keepalives_idle(config.get_keepalives_idle());
    copy.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
    copy.channel_binding(config.get_channel_binding());
    copy.target_session_attrs(config.get_target_session_attrs());
    copy.load_balance_hosts(config.get_load_balance_hosts());
    copy
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever an address may say; a field that is forgotten here or above shows.
    const EVERYTHING: &str = "user=u password=p dbname=d options=o application_name=a connect_timeout=3 tcp_user_timeout=4 \
        keepalives=0 keepalives_idle=5 keepalives_interval=6 keepalives_retries=7 sslmode=require sslnegotiation=direct \
        channel_binding=require target_session_attrs=read-write load_balance_hosts=random";

    #[test]
    fn each_host_alone_has_everything_that_the_address_says() {
        let config: Config = format!("{EVERYTHING} host=a,b hostaddr=1.2.3.4,5.6.7.8 port=1,2").parse().unwrap();
        let a: Config = format!("{EVERYTHING} host=a hostaddr=1.2.3.4 port=1").parse().unwrap();
        let b: Config = format!("{EVERYTHING} host=b hostaddr=5.6.7.8 port=2").parse().unwrap();
        assert_eq!(each(&config), [a, b]);
    }

    #[test]
    fn a_single_port_is_that_of_all_hosts_and_any_other_number_is_an_error() {
        let ports = |address: &str| -> Vec<_> {
            each(&address.parse().unwrap()).iter().map(|one| one.get_ports().to_vec()).collect()
        };
        assert_eq!(ports("host=a,b port=7"), [[7], [7]]);
        assert_eq!(ports("host=a,b,c port=7,8"), [[0; 0]; 0]);
        assert_eq!(ports("user=u"), [[0; 0]; 0]);
    }
}
