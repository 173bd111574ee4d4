//! All of libpq's keywords, and what was said for each.

use super::{keyword, service, uri, wrong};
use crate::error::Result;
use std::collections::BTreeMap;
use std::env::var;

/// What is understood, and the variable that gives it where neither the connection's text nor a service does.
const KNOWN: [(&str, &str); 34] = [
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
    ("fallback_application_name", ""),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("keepalives", ""),
    ("keepalives_idle", ""),
    ("keepalives_interval", ""),
    ("keepalives_count", ""),
    ("tcp_user_timeout", ""),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("load_balance_hosts", "PGLOADBALANCEHOSTS"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("sslmode", "PGSSLMODE"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslsni", "PGSSLSNI"),
    ("ssl_min_protocol_version", "PGSSLMINPROTOCOLVERSION"),
    ("ssl_max_protocol_version", "PGSSLMAXPROTOCOLVERSION"),
    // These change nothing for us: text is always UTF-8, nothing is compressed, and Kerberos is not used.
    ("client_encoding", "PGCLIENTENCODING"),
    ("sslcompression", "PGSSLCOMPRESSION"),
    ("krbsrvname", "PGKRBSRVNAME"),
    ("gsslib", "PGGSSLIB"),
    ("gssdelegation", "PGGSSDELEGATION"),
    ("gssencmode", "PGGSSENCMODE"),
];

/// What would be less safe, or another thing, if it were passed over.
const REFUSED: [(&str, &str); 9] = [
    ("requiressl", "PGREQUIRESSL"),
    ("requirepeer", "PGREQUIREPEER"),
    ("require_auth", "PGREQUIREAUTH"),
    ("sslcertmode", "PGSSLCERTMODE"),
    ("sslcrl", "PGSSLCRL"),
    ("sslcrldir", "PGSSLCRLDIR"),
    ("sslpassword", ""),
    ("replication", ""),
    ("servicefile", ""),
];

/// A keyword and its value.
pub type Pair = (String, String);

/// What was said, by keyword.
#[derive(Default)]
pub struct Words(BTreeMap<String, String>);

impl Words {
    /// The connection's text, then the service that it or the environment names, then the environment.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) where something cannot be understood.
    pub fn gathered(dsn: Option<&str>) -> Result<Self> {
        let mut words = Self::of(dsn.unwrap_or_default())?;
        let service = words.get("service").map(str::to_owned).or_else(|| var("PGSERVICE").ok());
        if let Some(service) = service.filter(|service| !service.is_empty()) {
            words.add(service::read(&service)?)?;
        }
        let environment = KNOWN.iter().chain(&REFUSED).filter(|(_, variable)| !variable.is_empty());
        let said = environment.filter_map(|(word, variable)| Some((word.to_string(), var(variable).ok()?)));
        words.add(said.collect())?;
        words.check_gssencmode()?;
        Ok(words)
    }

    /// Those of one text, either way to write it.
    pub fn of(dsn: &str) -> Result<Self> {
        let mut words = Self::default();
        let is_uri = dsn.starts_with("postgresql://") || dsn.starts_with("postgres://");
        let mut pairs = if is_uri { uri::read(dsn)? } else { keyword::read(dsn)? };
        // Within one text the last word counts.
        pairs.reverse();
        words.add(pairs)?;
        Ok(words)
    }

    /// Adds what was not said before.
    fn add(&mut self, pairs: Vec<Pair>) -> Result<()> {
        for (word, value) in pairs {
            let is = |(known, _): &(&str, &str)| *known == word;
            if REFUSED.iter().any(is) && !value.is_empty() {
                return Err(wrong(format!("the connection option \"{word}\" is not supported")));
            }
            if !KNOWN.iter().chain(&REFUSED).any(is) {
                return Err(wrong(format!("\"{word}\" is no connection option of libpq")));
            }
            self.0.entry(word).or_insert(value);
        }
        Ok(())
    }

    /// What was said for a keyword; an empty text is as good as nothing.
    pub fn get(&self, word: &str) -> Option<&str> {
        self.0.get(word).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// One of some words, each of which stands for a value.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for another word.
    pub fn one_of<T: Copy>(&self, word: &str, allowed: &[(&str, T)]) -> Result<Option<T>> {
        let Some(said) = self.get(word) else { return Ok(None) };
        match allowed.iter().find(|(name, _)| *name == said) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let names: Vec<&str> = allowed.iter().map(|(name, _)| *name).collect();
                Err(wrong(format!("{word} must be one of {}", names.join(", "))))
            }
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`Error::Usage`](crate::error::Error::Usage) for anything else.
    pub fn number<T: std::str::FromStr>(&self, word: &str) -> Result<Option<T>> {
        let read = |value: &str| value.trim().parse().map_err(|_| wrong(format!("{word} is no whole number")));
        self.get(word).map(read).transpose()
    }

    fn check_gssencmode(&self) -> Result<()> {
        match self.get("gssencmode") {
            None | Some("disable" | "prefer") => Ok(()),
            Some(_) => Err(wrong("gssencmode=require is not supported: encryption is by TLS, see sslmode")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_equal_words_counts() {
        assert_eq!(
            Words::of("host=a host=b").ok().and_then(|words| words.get("host").map(str::to_owned)).unwrap(),
            "b"
        );
    }

    #[test]
    fn what_would_be_less_safe_if_it_were_passed_over_is_refused() {
        for dsn in ["sslcrl=/x", "require_auth=none", "requirepeer=me", "hosst=x"] {
            assert!(Words::of(dsn).is_err(), "{dsn}");
        }
        assert!(Words::of("sslcrl='' krbsrvname=x sslcompression=0").is_ok());
    }
}
