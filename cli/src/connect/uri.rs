//! `postgresql://user:password@host:port,host:port/database?keyword=value&…`, as libpq reads it.

use super::words::Pair;
use super::wrong;
use crate::error::Result;
use percent_encoding::percent_decode_str;

/// The pairs of a URI.
///
/// # Errors
/// [`Error::Usage`](crate::error::Error::Usage), which does not repeat the text: it may hold a password.
pub fn read(uri: &str) -> Result<Vec<Pair>> {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    let mut pairs = vec![];
    let rest = take_user(rest, &mut pairs)?;
    let (place, parameters) = rest.split_once('?').map_or((rest, None), |(place, rest)| (place, Some(rest)));
    if place.contains('@') {
        // libpq would take what is behind it for a host, and show it.
        return Err(wrong("the URI of the server has an @ too many"));
    }
    let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
    take_hosts(hosts, &mut pairs)?;
    if !database.is_empty() {
        pairs.push(("dbname".into(), decoded(database)?));
    }
    for parameter in parameters.into_iter().flat_map(|all| all.split('&')).filter(|one| !one.is_empty()) {
        pairs.push(parameter_of(parameter)?);
    }
    Ok(pairs)
}

/// What stands before the first @, if that comes before the first slash.
fn take_user<'a>(rest: &'a str, pairs: &mut Vec<Pair>) -> Result<&'a str> {
    let Some((user, rest)) = rest.split_once('@').filter(|(user, _)| !user.contains('/')) else { return Ok(rest) };
    let (user, password) = user.split_once(':').map_or((user, None), |(user, password)| (user, Some(password)));
    if !user.is_empty() {
        pairs.push(("user".into(), decoded(user)?));
    }
    if let Some(password) = password {
        pairs.push(("password".into(), decoded(password)?));
    }
    Ok(rest)
}

/// Hosts and ports, as many of one as of the other; neither where there is nothing.
fn take_hosts(hosts: &str, pairs: &mut Vec<Pair>) -> Result<()> {
    let (mut names, mut ports) = (vec![], vec![]);
    for host in hosts.split(',') {
        let (name, port) = host_and_port(host)?;
        names.push(decoded(name)?);
        ports.push(decoded(port)?);
    }
    for (word, values) in [("host", names), ("port", ports)] {
        if values.iter().any(|value| !value.is_empty()) {
            pairs.push((word.into(), values.join(",")));
        }
    }
    Ok(())
}

fn host_and_port(host: &str) -> Result<(&str, &str)> {
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let unclosed = || wrong("in the URI of the server, an address in [ lacks its ]");
            let (name, rest) = rest.split_once(']').ok_or_else(unclosed)?;
            (name, if rest.is_empty() { "" } else { rest.strip_prefix(':').ok_or_else(unclosed)? })
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    Ok((name, port))
}

fn parameter_of(parameter: &str) -> Result<Pair> {
    let none = || wrong("in the URI of the server, a parameter behind ? is no keyword=value");
    let (word, value) = parameter.split_once('=').ok_or_else(none)?;
    let (word, value) = (decoded(word)?, decoded(value)?);
    // As JDBC has it.
    Ok(if word == "ssl" && value == "true" { ("sslmode".into(), "require".into()) } else { (word, value) })
}

fn decoded(text: &str) -> Result<String> {
    let bytes = text.as_bytes();
    let broken = bytes.iter().enumerate().any(|(place, byte)| {
        let hex = |more| bytes.get(place + more).is_some_and(u8::is_ascii_hexdigit);
        *byte == b'%' && !(hex(1) && hex(2))
    });
    let text = percent_decode_str(text).decode_utf8().ok().filter(|text| !broken && !text.contains('\0'));
    Ok(text.ok_or_else(|| wrong("in the URI of the server, a % does not begin the code of a character"))?.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(uri: &str) -> String {
        let pairs = read(uri).unwrap();
        pairs.iter().map(|(word, value)| format!("{word}={value}")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn reads_what_libpq_reads() {
        assert_eq!(said("postgresql://"), "");
        assert_eq!(said("postgresql:///shop"), "dbname=shop");
        assert_eq!(said("postgres://a:b%40c@h:1/d"), "user=a password=b@c host=h port=1 dbname=d");
        assert_eq!(said("postgresql://a:b:c@h"), "user=a password=b:c host=h");
        assert_eq!(said("postgresql://h1:1,h2,[::1]:3/d"), "host=h1,h2,::1 port=1,,3 dbname=d");
        assert_eq!(said("postgresql://%2Fvar%2Frun/d"), "host=/var/run dbname=d");
        assert_eq!(said("postgresql:///d?host=/tmp&port=5&ssl=true"), "dbname=d host=/tmp port=5 sslmode=require");
    }

    #[test]
    fn no_error_repeats_what_may_be_a_password() {
        let wrong = [
            "postgresql://a:secret@secret@h/d",
            "postgresql://a:%secret@h",
            "postgresql://[secret",
            "postgresql://h?secret",
        ];
        for uri in wrong.into_iter().chain(["postgresql://a:sec/ret@h/d"]) {
            let error = read(uri).unwrap_err().to_string();
            assert!(!error.contains("secret") && !error.contains("ret@"), "{error}");
        }
    }
}
